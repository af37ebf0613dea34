"""The command of a probe, and the figures in its output."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("program.py")

PROGRAM_S = 60.0
"""Seconds after which a measuring program is ended; a quiet machine needs 1 to 4."""

ISOLATED = ("-I", "-S")
"""Python options for the standard library alone: no packages, no environment variables."""

WITH_PACKAGES = ("-E", "-P")
"""Python options for experiments that measure a package, if the interpreter has it."""

NEED_PACKAGES = {"compute-numpy", "create-greenlets", "memory-greenlets", "switch-greenlets"}
"""Experiments that measure a package."""


def command_of(python: str, name: str, options: Sequence[str] = ()) -> list[str]:
    """The command that measures the experiment under an interpreter."""
    isolation = WITH_PACKAGES if name in NEED_PACKAGES else ISOLATED
    return [python, *isolation, str(PROGRAM), name, *options]


def answer_in(output: str | None) -> dict[str, Any]:
    """The ``figures`` in the output, or why it is ``impossible`` to measure them.

    ``None`` is the output of a program that was ended after ``PROGRAM_S``.
    """
    if output is None:
        return {"figures": {}, "impossible": f"the program was ended after {PROGRAM_S:g} s"}
    last_line = output.rstrip().rpartition("\n")[2]
    try:
        answer = json.loads(last_line)
        return {"figures": answer["figures"], "impossible": answer["impossible"]}
    except (ValueError, KeyError, TypeError):
        return {"figures": {}, "impossible": f"the program failed: {last_line}"}
