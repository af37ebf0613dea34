"""Reads the facts of Python interpreters by running them; nothing is installed there.

The interpreter runs with ``-I -S``: without the user's variables and without installed packages.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from poolrace.producer.results.interpreter import Interpreter, labelled
from poolrace.workers.errors import UsageError

OLDEST = (3, 11)
"""Version of the oldest interpreter that can compute chunks."""

WAY_OUT = f"give Python {'.'.join(map(str, OLDEST))} or newer"
"""The way out of most errors."""

ISOLATED = ("-I", "-S", "-B")
"""Options of an interpreter that sees only its standard library, and writes no bytecode files."""

ANSWER_S = 30.0
"""Seconds within which an interpreter must answer; it takes 0.1 s, and 5 s on a busy machine."""

MAX_OUTPUT = 1 << 16
"""Bytes of output of an interpreter, at most; an answer has some 500."""

PROBE = """
import json, platform, sys, sysconfig
try:
    arguments = sysconfig.get_config_var("CONFIG_ARGS") or ""
    platform_name = sysconfig.get_platform()
except Exception:  # an interpreter without the files of its build
    arguments, platform_name = "", ""
jit = getattr(sys, "_jit", None)
print(json.dumps({
    "version": platform.python_version(),
    "implementation": platform.python_implementation(),
    "gil": bool(getattr(sys, "_is_gil_enabled", lambda: True)()),
    "free_threaded": sysconfig.get_config_var("Py_GIL_DISABLED") == 1,
    "jit": jit.is_enabled() if jit else None,
    "arguments": arguments,
    "debug": hasattr(sys, "gettotalrefcount"),
    "architecture": platform_name.split("-")[-1] or platform.machine(),
}))
"""
"""Program that prints the facts of its interpreter as JSON, under any version from 3.4 on."""

ELF_MACHINES = {3: "i386", 20: "ppc", 21: "ppc64", 22: "s390x", 40: "arm", 62: "x86_64",
                183: "aarch64", 243: "riscv64"}  # fmt: skip
"""Architecture by its number in the header of an executable file (elf(5), e_machine)."""

ELF_HEADER = 20
"""Bytes of such a header up to the architecture."""


def probe_all(paths: tuple[str, ...]) -> list[Interpreter]:
    """The facts of these interpreters, with labels; an interpreter that comes twice is taken once.

    Raises ``UsageError`` for the first one that cannot be used.
    """
    found = {_found(path): path for path in paths}
    return labelled([probe(path) for path in found])


def probe(path: str) -> Interpreter:
    """The facts of the interpreter at ``path``, or of that name on ``PATH``.

    Raises ``UsageError`` for a path that is no interpreter, or one that cannot compute chunks.
    """
    found = _found(path)
    _require_executable(found)
    facts = _facts(found, run_isolated(found, ["-c", PROBE]))
    version = facts.pop("version")
    arguments, debug = facts.pop("arguments"), facts.pop("debug")
    interpreter = Interpreter(
        path=found,
        version=version,
        build_flags=_build_flags(arguments, debug=debug),
        **{**facts, "jit": _jit(facts["jit"], version, arguments)},
    )
    if interpreter.version_info < OLDEST:
        raise UsageError(
            f"--python {path} is Python {version}, too old to compute chunks; {WAY_OUT}"
        )
    return labelled([interpreter])[0]


def run_isolated(path: str, arguments: list[str]) -> str:
    """Run the interpreter with these arguments and no input; return all of its output.

    Raises ``UsageError`` if the interpreter does not start, crashes, or gives no end. Then nothing
    of it is left: it runs in a process group of its own.
    """
    try:
        process = subprocess.Popen(
            [path, *ISOLATED, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
    except OSError as error:
        raise UsageError(
            f"--python {path} cannot be executed: {error.strerror}; give a Python interpreter"
        ) from error
    try:
        output = _read_to_end(process, path)
        code = process.wait(timeout=ANSWER_S)
    except subprocess.TimeoutExpired as error:
        raise UsageError(_no_answer(path)) from error
    finally:
        with suppress(ProcessLookupError, PermissionError):  # all of its processes have ended
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()
    text = output.decode(errors="replace")
    if code:
        raise UsageError(
            f"--python {path} {_ending(code)} at its start{_reason(text)}; {WAY_OUT}"
        )
    return text


def _read_to_end(process: "subprocess.Popen[bytes]", path: str) -> bytes:
    """The output of the process; raises ``UsageError`` for too much, or for no end of it."""
    if process.stdout is None:
        return b""
    descriptor, output = process.stdout.fileno(), b""
    os.set_blocking(descriptor, False)
    deadline = time.monotonic() + ANSWER_S
    while time.monotonic() < deadline:
        try:
            part = os.read(descriptor, MAX_OUTPUT)
        except BlockingIOError:
            if process.poll() is not None:  # a process that it started may hold the pipe open
                return output
            time.sleep(0.01)  # a crash has no notification of its own
            continue
        output += part
        if not part:
            return output
        if len(output) > MAX_OUTPUT:
            raise UsageError(f"--python {path} is no Python interpreter: its output has no end")
    raise UsageError(_no_answer(path))


def _no_answer(path: str) -> str:
    return f"--python {path} did not answer within {ANSWER_S:g} s; give a Python interpreter"


def _found(path: str) -> str:
    """The absolute path; a name without a slash is looked up on ``PATH``."""
    if os.sep not in path and (on_path := shutil.which(path)):
        return on_path
    return str(Path(path).expanduser().absolute())


def _require_executable(path: str) -> None:
    """Raise ``UsageError`` for a path that is no executable file of this machine."""
    file = Path(path)
    if not file.exists():
        raise UsageError(f"--python {path}: there is no such file; give a Python interpreter")
    if not file.is_file():
        raise UsageError(f"--python {path} is not a file; give the interpreter itself")
    if not os.access(file, os.X_OK):
        raise UsageError(f"--python {path} is not executable; give a Python interpreter")
    ours, theirs = _architecture(Path(sys.executable)), _architecture(file)
    if ours and theirs and ours != theirs:
        raise UsageError(
            f"--python {path} was built for {theirs}, and this machine runs {ours};"
            " give an interpreter of this architecture"
        )


def _architecture(file: Path) -> str | None:
    """The architecture in the header of an ELF file; ``None`` for a script or another format."""
    try:
        with file.open("rb") as opened:
            header = opened.read(ELF_HEADER)
    except OSError:
        return None
    if len(header) < ELF_HEADER or not header.startswith(b"\x7fELF"):
        return None
    number = int.from_bytes(header[18:20], "big" if header[5] == 2 else "little")
    return ELF_MACHINES.get(number, f"architecture {number}")


def _facts(path: str, output: str) -> dict[str, object]:
    """The facts in the output, after messages of a script that starts the interpreter."""
    for line in reversed(output.splitlines()):
        with suppress(ValueError):
            facts = json.loads(line)
            if isinstance(facts, dict) and "version" in facts:
                return facts
    raise UsageError(f"--python {path} is no Python interpreter{_reason(output)}; {WAY_OUT}")


def _jit(told: bool | None, version: str, arguments: str) -> bool | None:  # noqa: FBT001 # a fact
    """Whether the JIT compiler is on; a version or a build without one has it off."""
    older = tuple(map(int, version.split(".")[:2])) < (3, 13)  # CPython's first with a JIT
    return False if told is None and (older or "--enable-experimental-jit" not in arguments) else told


def _build_flags(arguments: str, *, debug: bool) -> str:
    """The options of ``configure`` without paths, which say nothing about speed."""
    words = arguments.replace("'", "").split()
    flags = [word for word in words if word.startswith("--") and "/" not in word]
    kept = [flag for flag in flags if flag.startswith(("--enable", "--disable", "--with"))]
    if debug and "--with-pydebug" not in kept:
        kept.append("--with-pydebug")
    return " ".join(kept)


def _ending(code: int) -> str:
    """How a process with this exit code ended; signals have negative ones."""
    if code > 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _reason(output: str) -> str:
    """The line of the output that says why, after a colon: the last one of a traceback."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if not lines:
        return ""
    line = lines[-1] if any("Traceback" in each for each in lines) else lines[0]
    return f": {line[:200]}"
