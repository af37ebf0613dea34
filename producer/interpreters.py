"""Reads the facts of Python interpreters by running them; nothing is installed there.

The interpreter runs with ``-I -S``: without the user's variables and without installed packages.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from poolrace.producer.results.interpreter import Interpreter, labelled
from poolrace.workers import interpreter_facts
from poolrace.workers.errors import UsageError

OLDEST = (3, 11)
"""Version of the oldest interpreter that can compute chunks."""

WAY_OUT = f"give Python {'.'.join(map(str, OLDEST))} or newer"
"""The way out of most errors."""

ISOLATED = ("-I", "-S", "-B")
"""Options of an interpreter that sees only its standard library, and writes no bytecode files."""

ANSWER_S = 30.0
"""Seconds within which an interpreter must answer; it takes 0.1 s, and 5 s on a busy machine.
Seconds in which it waits for a core do not count."""

LONGEST_STEP_S = 1.0
"""Seconds that count between two checks for an answer, at most: this process may have been stopped
meanwhile, with the terminal or the machine."""

MAX_OUTPUT = 1 << 16
"""Bytes of output of an interpreter, at most; an answer has some 500."""

FACTS_FILE = Path(interpreter_facts.__file__)
"""File of the functions that read facts of their own interpreter."""

PROBE = """
import json, platform, sys
facts = {"version": platform.python_version(), "implementation": platform.python_implementation()}
if sys.version_info[:2] >= tuple(map(int, sys.argv[2].split("."))):
    import runpy
    read = runpy.run_path(sys.argv[1])
    facts.update(
        gil=read["gil_enabled"](),
        free_threaded=read["is_free_threaded"](),
        jit=read["jit_enabled"](),
        build_flags=read["build_flags"](),
        architecture=read["architecture"](),
    )
print(json.dumps(facts))
"""
"""Program that prints facts of its interpreter as JSON, under any version from 3.0 on; those of
``FACTS_FILE`` from the oldest version on that can compute chunks."""

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
    arguments = ["-c", PROBE, str(FACTS_FILE), ".".join(map(str, OLDEST))]
    facts = _facts(found, run_isolated(found, arguments))
    if "gil" not in facts:
        raise UsageError(
            f"--python {path} is Python {facts['version']}, too old to compute chunks; {WAY_OUT}"
        )
    return labelled([Interpreter(path=found, **facts)])[0]


def run_isolated(
    path: str,
    arguments: list[str],
    options: Sequence[str] = ISOLATED,
    answer_s: float | None = None,
) -> str:
    """Run the interpreter with these arguments and no input; return all of its output.

    It has ``answer_s`` seconds, by default ``ANSWER_S``.

    Raises ``UsageError`` if the interpreter does not start, crashes, or does not end. Then nothing
    of it is left: it runs in a process group of its own.
    """
    try:
        process = subprocess.Popen(
            [path, *options, *arguments],
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
        limit_s = answer_s or ANSWER_S
        output = _read_to_end(process, path, limit_s)
        code = process.wait(timeout=limit_s)
    except subprocess.TimeoutExpired as error:
        raise UsageError(_no_answer(path, limit_s)) from error
    finally:
        with suppress(ProcessLookupError, PermissionError):  # all of its processes have ended
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()
    text = output.decode(errors="replace")
    if code:
        raise UsageError(_failure(path, code, text))
    return text


def _read_to_end(process: "subprocess.Popen[bytes]", path: str, limit_s: float) -> bytes:
    """The output of the process; raises ``UsageError`` for too much, or for no end of it."""
    if process.stdout is None:
        return b""
    descriptor, output = process.stdout.fileno(), b""
    os.set_blocking(descriptor, False)
    waited_s, before = 0.0, time.monotonic()
    while waited_s - _queued_s(process.pid) < limit_s:
        has_ended = process.poll() is not None  # before the read, which gets its last words
        try:
            part = os.read(descriptor, MAX_OUTPUT)
        except BlockingIOError:
            if has_ended:  # a process that it started may hold the pipe open
                return output
            time.sleep(0.01)  # a crash has no notification of its own
            now = time.monotonic()
            waited_s += min(now - before, LONGEST_STEP_S)
            before = now
            continue
        output += part
        if not part:
            return output
        if len(output) > MAX_OUTPUT:
            raise UsageError(f"--python {path} is no Python interpreter: its output has no end")
    raise UsageError(_no_answer(path, limit_s))


def _queued_s(pid: int) -> float:
    """Seconds in which the process was ready to run and had no core; 0 where no kernel tells."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def _no_answer(path: str, limit_s: float) -> str:
    return f"--python {path} did not answer within {limit_s:g} s; give a Python interpreter"


def _found(path: str) -> str:
    """The absolute path; a name without a slash is looked up on ``PATH``."""
    if os.sep not in path:
        if not (on_path := shutil.which(path)):
            raise UsageError(f"--python {path} is not on PATH; give the path of an interpreter")
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


def _facts(path: str, output: str) -> dict[str, Any]:
    """The facts in the output, after messages of a script that starts the interpreter."""
    for line in reversed(output.splitlines()):
        with suppress(ValueError):
            facts = json.loads(line)
            if isinstance(facts, dict) and "version" in facts:
                return facts
    raise UsageError(f"--python {path} is no Python interpreter{_reason(output)}; {WAY_OUT}")


def _failure(path: str, code: int, output: str) -> str:
    """The error for an interpreter that ended with this code."""
    if absent := re.search(r"^(?:ModuleNotFound|Import)Error: (.*)", output, re.MULTILINE):
        return (
            f"--python {path} lacks a module of the standard library: {absent[1]};"
            " give a complete Python"
        )
    return f"--python {path} {_ending(code)} at its start{_reason(output)}; {WAY_OUT}"


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
