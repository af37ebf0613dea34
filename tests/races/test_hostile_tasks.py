"""Tasks that damage their worker: each race ends with a verdict or a clear error, and cleans up.

All races run on one given Redis, several at the same time, since they mostly wait for workers.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from poolrace.producer.broker.client import connect
from poolrace.producer.cluster.lifecycle import temporary
from poolrace.producer.settings import Settings
from tests.conftest import Answer, CommandLine, wait_until
from tests.races.hostile_app import HOSTILE_APP
from tests.races.project import BUDGET_S, MARK, race, race_processes

AT_ONCE = 4
"""Number of races that run at the same time."""

ENDS = {
    "end_the_process": "exit code 3",
    "kill_the_group": "killed by SIGKILL",
    "kill_the_parent": "ended: its parent process was killed",
    "fork": "the task calls os.fork, and the forked process returns from it",
    "set_an_alarm": "killed by SIGALRM",
    "raise_odd_exception": "Odd: neither an error nor an exit",
}
"""Tasks that end every worker, and the reason that the race gives."""

MAY_SURVIVE = ("close_descriptors", "write_to_descriptors", "limit_resources")
"""Tasks that some workers survive, depending on the pool and on Celery; others of them hang."""

HUNG_BUDGET_S = 15
"""Seconds for the race of a task whose worker may hang: the race waits for it half of them."""

HABITS = ("change_the_process", "answer")
"""Tasks that all workers survive."""

ITEMS = {"answer": '["fine"]\n' * 8 + '["unserialisable"]\n["unpicklable"]\n'}


class Races:
    """The races of all tasks: each in a directory of its own, all started at the beginning."""

    def __init__(self, directory: Path, broker: str, executor: ThreadPoolExecutor) -> None:
        self.projects: dict[str, CommandLine] = {}
        self.answers: dict[str, Future[Answer]] = {}
        for task in (*HABITS, *ENDS, *MAY_SURVIVE):
            project = self.projects[task] = CommandLine(directory / task, {})
            (project.directory / "tmp").mkdir(parents=True)
            (project.directory / "proj.py").write_text(HOSTILE_APP)
            project.variables[MARK] = str(project.directory)
            project.variables["TMPDIR"] = str(project.directory / "tmp")
            self.answers[task] = executor.submit(
                race, project, f"proj.{task}", ITEMS.get(task, "[]\n"),
                "--pool", "prefork:2", "--pool", "threads:2", "--broker", broker,
                "--budget-s", str(HUNG_BUDGET_S if task in MAY_SURVIVE else BUDGET_S),
            )  # fmt: skip

    def answer(self, task: str) -> Answer:
        """The answer of the race of this task; checks that nothing but the answer is left."""
        answer = self.answers[task].result()
        project = self.projects[task]
        wait_until(lambda: race_processes(project) == [])
        assert list((project.directory / "tmp").iterdir()) == []
        assert "Traceback" not in answer.err or "poolrace/" not in answer.err
        return answer


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    """A Redis that the races share; afterwards it has no key."""
    with temporary(Settings(), {}) as cluster:
        yield cluster.broker_url
        with connect(cluster.broker_url) as client:
            assert list(client.scan_iter()) == []


@pytest.fixture(scope="module")
def races(tmp_path_factory: pytest.TempPathFactory, broker: str) -> Iterator[Races]:
    with ThreadPoolExecutor(AT_ONCE) as executor:
        yield Races(tmp_path_factory.mktemp("hostile"), broker, executor)


def test_a_task_that_changes_its_process_is_raced(races: Races) -> None:
    answer = races.answer("change_the_process")
    assert answer.code == 0, answer.err
    measured = {candidate["pool"]: candidate for candidate in answer.json()["candidates"]}
    assert {"prefork", "threads"} <= measured.keys()
    for candidate in measured.values():
        assert candidate["failures"] == {}
        assert candidate["running_s"]["p50"] > 0.02


def test_answers_that_no_process_can_send_are_failures_by_their_names(races: Races) -> None:
    answer = races.answer("answer")
    assert answer.code == 0, answer.err
    failures = answer.json()["candidates"][0]["failures"]
    assert any("EncodeError" in name for name in failures)
    assert any("Unpick" in name for name in failures)


@pytest.mark.parametrize("task", ENDS)
def test_a_task_that_ends_its_worker_ends_the_race_with_the_reason(task: str, races: Races) -> None:
    answer = races.answer(task)
    assert (answer.code, answer.out) == (1, "")
    assert ENDS[task] in answer.err
    assert "raise --budget-s" not in answer.err


@pytest.mark.parametrize("task", MAY_SURVIVE)
def test_a_task_that_damages_its_worker_ends_in_a_verdict_or_an_error(
    task: str, races: Races
) -> None:
    answer = races.answer(task)
    assert answer.code in {0, 1}, answer.err
    assert answer.out or "proj." in answer.err.splitlines()[-1]
