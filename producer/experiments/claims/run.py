"""Runs the measuring programs of the claims under an interpreter, and reads their figures."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from poolrace.producer.processes.guard import start_guarded
from poolrace.producer.processes.polling import poll_until
from poolrace.workers.errors import UsageError
from poolrace.workers.probes.command import PROGRAM_S, answer_in, command_of

ReportStep = Callable[[str], object]
"""Function that is called before each experiment with its name."""


@dataclass(frozen=True)
class Measured:
    """The figures of an experiment, or the reason why there are none.

    The values of a figure are in the order of the rounds, in the unit at the end of its name.
    """

    name: str
    figures: dict[str, list[float]]
    impossible: str = ""


def measure(
    interpreter: Path | None,
    names: Sequence[str],
    report_step: ReportStep,
    options: Sequence[str] = (),
) -> list[Measured]:
    """Measure experiments of the catalogue, one after another; ``None`` is this interpreter.

    Calls ``report_step`` with the name of each experiment before it starts; ``options`` are those
    of ``program.py``. Raises ``UsageError`` if the interpreter does not start.
    """
    results = []
    for name in names:
        report_step(name)
        results.append(_measure_one(str(interpreter or sys.executable), name, options))
    return results


def _measure_one(python: str, name: str, options: Sequence[str]) -> Measured:
    answer = answer_in(_output(command_of(python, name, options)))
    return Measured(name, answer["figures"], answer["impossible"])


def _output(command: list[str]) -> str | None:
    """Return the output of a command; ``None`` if it had to be ended, with all its processes."""
    directory = Path(tempfile.mkdtemp(prefix="poolrace-claims-"))
    try:
        with tempfile.TemporaryFile("a+b") as log:
            process = start_guarded(
                command, directory, cwd=directory, environment=dict(os.environ), log=log
            )
            try:
                ended = poll_until(lambda: process.ended, PROGRAM_S)
            finally:
                process.stop()
            log.seek(0)
            return log.read().decode(errors="replace") if ended else None
    except ChildProcessError as error:
        raise UsageError(f"{error}; give the path of a Python from 3.11 on") from error
    finally:
        shutil.rmtree(directory, ignore_errors=True)  # the guard removes it when it has started
