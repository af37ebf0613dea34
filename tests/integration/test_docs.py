"""The commands of the documents run."""

import shlex

import pytest

from tests.conftest import CommandLine
from tests.docs.pages import RUNNABLE_LINES


@pytest.mark.parametrize("line", RUNNABLE_LINES)
def test_a_documented_command_runs(line: str, producer_on_cluster: CommandLine) -> None:
    arguments = shlex.split(line, comments=True)[1:]
    if arguments[0] == "report":
        producer_on_cluster(
            "compare", "sum", "--stop", "1e4", "--local", "single", "--out", "results.json"
        )
    answer = producer_on_cluster(*arguments)
    assert answer.code == 0, answer.err
