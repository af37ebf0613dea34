"""The commands of the documents run; a long range or many repeats are cut short here."""

import shlex

import pytest

from tests.conftest import CommandLine
from tests.docs.pages import RUNNABLE_LINES

LAST_OPTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "run": {"sum": ("--stop", "1e6")},
    "compare": {
        "sum": ("--stop", "1e6", "--repeat", "1"),
        "mixed": ("--stop", "50", "--repeat", "1"),
    },
    "sweep": {"sum": ("--stop", "1e6", "--repeat", "1")},
    "scale": {"sum": ("--stop", "1e6", "--repeat", "1")},
}
"""Command -> workload -> options that are appended: of an option given twice the last counts."""


def short(arguments: list[str]) -> list[str]:
    """The arguments of a documented command, for a short range."""
    command, workload = arguments[:2]
    return [*arguments, *LAST_OPTIONS.get(command, {}).get(workload, ())]


@pytest.mark.parametrize("line", RUNNABLE_LINES)
def test_a_documented_command_runs(line: str, producer_on_cluster: CommandLine) -> None:
    arguments = shlex.split(line, comments=True)[1:]
    if arguments[0] == "report":
        producer_on_cluster(
            "compare", "sum", "--stop", "1e4", "--local", "single", "--out", "results.json"
        )
    answer = producer_on_cluster(*short(arguments))
    assert answer.code == 0, answer.err
