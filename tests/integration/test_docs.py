"""The commands of the documents run, in the directory where a reader stands.

A long range or many repeats are cut short here, as is the budget of a race.
"""

from pathlib import Path

import pytest

from poolrace.producer.cluster.state import Cluster
from tests.conftest import CommandLine
from tests.docs.typed import Typed, make_clone, typed

LAST_OPTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "run": {"sum": ("--stop", "1e6")},
    "compare": {
        "sum": ("--stop", "1e6", "--repeat", "1"),
        "mixed": ("--stop", "50", "--repeat", "1"),
    },
    "sweep": {"sum": ("--stop", "1e6", "--repeat", "1")},
    "scale": {"sum": ("--stop", "1e6", "--repeat", "1")},
    "race": {"-A": ("--pool", "solo", "--budget-s", "60", "--yes")},
}
"""Command -> its first argument -> options that are appended: of an option given twice the last
counts."""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clone(tmp_path_factory.mktemp("docs") / "clone")


@pytest.mark.parametrize("command", [each for each in typed() if each.is_run], ids=str)
def test_a_documented_command_runs(command: Typed, clone: Path, cluster: Cluster) -> None:
    _, name, *arguments = command.words
    shorter = LAST_OPTIONS.get(name, {}).get("".join(arguments[:1]), ())
    variables = {} if name == "race" else {"CELERY_BROKER_URL": cluster.broker_url}
    with CommandLine(clone / command.directory, variables) as producer:
        answer = producer(name, *arguments, *shorter)
    assert answer.code == 0, answer.err
