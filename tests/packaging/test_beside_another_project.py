"""poolrace beside a project that has packages ``workers`` and ``producer``: neither is harmed.

Every command runs in that project's directory, where these two packages come first on the path.
"""

import json
from collections.abc import Iterator

import pytest

from tests.packaging.conftest import Distributions, SharedEnvironment

pytestmark = pytest.mark.timeout(400)  # the first test builds the distributions

EXACT = sum(range(1000))


@pytest.mark.parametrize("command", [["producer"], ["poolrace"], ["python", "-m", "poolrace"]])
def test_a_run_is_exact(shared: SharedEnvironment, command: list[str]) -> None:
    options = ("run", "sum", "--stop", "1000", "--local", "processes:2", "--json")
    answer = json.loads(shared.run(*command, *options))
    assert (answer["value"], answer["exact"]) == (EXACT, True)


def test_a_run_on_celery_workers_is_exact(shared: SharedEnvironment) -> None:
    options = ("run", "sum", "--stop", "1000", "--pool", "solo", "--json")
    assert json.loads(shared.run("producer", *options))["value"] == EXACT


def test_a_task_of_the_projects_own_workers_package_is_raced(shared: SharedEnvironment) -> None:
    target = ("--app", "workers.tasks", "--task", "workers.tasks.double", "--items", "items.jsonl")
    limits = ("--pool", "solo", "--budget-s", "60", "--yes", "--json")
    verdict = json.loads(shared.run("producer", "race", *target, *limits))
    assert [candidate["pool"] for candidate in verdict["candidates"]] == ["solo"]
    assert verdict["candidates"][0]["failures"] == {}


@pytest.fixture
def cluster_variables(shared: SharedEnvironment) -> Iterator[dict[str, str]]:
    """A local cluster that stays, and the variables with which Celery finds it."""
    shared.run("producer", "up", "--pool", "solo")
    try:
        lines = shared.run("producer", "env").splitlines()
        pairs = (line.removeprefix("export ").partition("=") for line in lines)
        yield {name: value.strip("'") for name, _, value in pairs}
    finally:
        shared.run("producer", "down")


def test_celery_finds_the_workers(
    shared: SharedEnvironment, cluster_variables: dict[str, str]
) -> None:
    command = ("--app", "poolrace.workers.tasks", "inspect", "ping", "--timeout", "10")
    assert "pong" in shared.run("python", "-m", "celery", *command, **cluster_variables)


def test_uninstalling_poolrace_leaves_the_other_project_as_it_was(
    shared: SharedEnvironment, distributions: Distributions
) -> None:
    before = shared.digests()
    assert {"workers/__init__.py", "workers/tasks.py", "producer/__init__.py"} <= before.keys()
    shared.pip("uninstall", "--yes", "poolrace")
    try:
        assert shared.digests() == before
        assert not (shared.site_packages() / "poolrace").exists()
        shared.run("python", "-c", "import workers.tasks, producer")
    finally:
        shared.pip("install", "--no-deps", "--no-index", distributions.wheel)
    assert shared.digests() == before
