"""Facts of the Python interpreter that this process runs in: build, GIL, JIT compiler.

The producer runs this file under other interpreters, so it imports the standard library alone.
"""

import re
import sys
import sysconfig

SPEED_FLAGS = re.compile(
    "--(enable|disable|with|without)-"
    "(optimizations|lto|bolt|gil|experimental-jit|pydebug|assertions|trace-refs|computed-gotos"
    "|tail-call-interp|mimalloc|pymalloc|strict-overflow|shared|profiling)(=.*)?"
)
"""Options of ``configure`` that change how fast an interpreter is; others may hold paths."""


def gil_enabled() -> bool:
    """Whether the global interpreter lock is switched on; an extension module may do so."""
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())  # new in Python 3.13


def is_free_threaded() -> bool:
    """Whether this is a free-threaded build, which can run without a GIL."""
    return bool(_config("Py_GIL_DISABLED"))


def jit_enabled() -> bool | None:
    """Whether the JIT compiler is on; ``None`` if the interpreter has one and does not tell."""
    jit = getattr(sys, "_jit", None)  # new in Python 3.14
    if jit is not None:
        return bool(jit.is_enabled())
    has_one = sys.version_info >= (3, 13) and "--enable-experimental-jit" in build_flags()
    return None if has_one else False


def build_flags() -> str:
    """The options of ``configure`` of this build that change its speed."""
    words = str(_config("CONFIG_ARGS") or "").replace("'", "").split()
    flags = [word for word in words if SPEED_FLAGS.fullmatch(word)]
    if hasattr(sys, "gettotalrefcount") and "--with-pydebug" not in flags:
        flags.append("--with-pydebug")
    return " ".join(flags)


def architecture() -> str:
    """The architecture that this interpreter was built for, as in ``x86_64``."""
    return sysconfig.get_platform().rpartition("-")[2]


def _config(name: str) -> object:
    """A variable of the build; ``None`` for an interpreter without the files of its build."""
    try:
        return sysconfig.get_config_var(name)
    except ImportError:
        return None
