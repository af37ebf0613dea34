"""Runs a probe on the host of a worker, in a process of its own."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

from poolrace.workers.errors import unknown
from poolrace.workers.probes.command import PROGRAM_S, answer_in, command_of
from poolrace.workers.probes.program import EXPERIMENTS

STOP_S = 2.0
"""Seconds in which a program that is told to end can remove its shared memory; it takes 0.1 s."""


def run_probe(name: str) -> dict[str, Any]:
    """Measure the experiment under the interpreter of this process; returns ``answer_in``'s object.

    Raises ``UsageError`` for an unknown experiment. The program has a session of its own, of which
    nothing runs when it has ended.
    """
    if name not in EXPERIMENTS:
        raise unknown("experiment", name, EXPERIMENTS)
    with subprocess.Popen(
        command_of(sys.executable, name),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
        errors="replace",
    ) as process:
        try:
            output, _ = process.communicate(timeout=PROGRAM_S)
        except subprocess.TimeoutExpired:
            return answer_in(None)
        finally:
            _end(process)
    return answer_in(output)


def _end(process: "subprocess.Popen[str]") -> None:
    """Tell the program to end; then kill what is left of its session.

    Without the first, its shared memory would stay: the process of ``multiprocessing`` that removes
    it is in the same session.
    """
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
