"""Facts of the Python interpreter that this process runs in: build, GIL, JIT compiler."""

import sys
import sysconfig

KEPT = ("--enable", "--disable", "--with")
"""Beginnings of the options of ``configure`` that say something about speed."""


def gil_enabled() -> bool:
    """Whether the global interpreter lock is switched on; an extension module may do so."""
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())  # new in Python 3.13


def is_free_threaded() -> bool:
    """Whether this is a free-threaded build, which can run without a GIL."""
    return bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def jit_enabled() -> bool | None:
    """Whether the JIT compiler is on; ``None`` if the interpreter has one and does not tell."""
    jit = getattr(sys, "_jit", None)  # new in Python 3.14
    if jit is not None:
        return bool(jit.is_enabled())
    has_one = sys.version_info >= (3, 13) and "--enable-experimental-jit" in build_flags()
    return None if has_one else False


def build_flags() -> str:
    """The options of ``configure`` of this build, without paths."""
    words = str(sysconfig.get_config_var("CONFIG_ARGS") or "").replace("'", "").split()
    flags = [word for word in words if word.startswith(KEPT) and "/" not in word]
    if hasattr(sys, "gettotalrefcount") and "--with-pydebug" not in flags:
        flags.append("--with-pydebug")
    return " ".join(flags)
