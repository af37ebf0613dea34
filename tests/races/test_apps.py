"""Apps that real users have asked about get the answer that is known to be right.

Each app is a folder below ``benchmarks/race/apps``. Bounds hold on a busy machine, too: they are
factors of two and more, and counts.
"""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks.race.apps import APPS, EXAMPLES, app_named
from tests.races.app_races import race_app


@dataclass(frozen=True)
class Waiting:
    """An app whose task waits, and that needs nothing but its settings and habits obeyed."""

    name: str
    candidate: str = "threads:4"
    task: str | None = None
    failures: set[str] = field(default_factory=set)
    """Exceptions that the race counts."""
    says: tuple[str, ...] = ()
    """Parts of sentences in the messages or in the report."""


WAITING = (
    Waiting("flask_factory"),
    Waiting("retrying", task="tasks.crawl", failures={"ConnectionError"},
            says=("asked for retries, which the race did not make",)),
    Waiting("retrying", task="tasks.crawl_again", failures={"ConnectionError"},
            says=("asked for retries, which the race did not make",)),
    Waiting("rate_limited", says=("without its rate limit of 30/m",
                                  "a rate limit of 30/m, that is 0.5 items/s")),
    Waiting("ignored_results"),
    Waiting("eager", says=("by workers although the app sets task_always_eager",
                           "The app sets task_always_eager = True")),
    Waiting("pydantic_models", "prefork:4"),
    Waiting("src_layout", "gevent:4"),
    Waiting("routed", says=("--queues pictures",)),
    Waiting("unreliable", failures={"ValueError"}, says=("of the items failed under threads:4",)),
)  # fmt: skip

RACED_ALONE = {
    "soft_limit", "custom_class", "asyncio_run", "subprocesses", "numpy_threads",
    "process_connection", "large_memory", "large_results", "hanging", "slow_service",
}  # fmt: skip
"""Apps with tests of their own, here and in ``test_apps_in_pools.py``."""

ELSEWHERE = {"sleeping", "usleep"}
"""Apps whose kinds other tests race, with shorter waits."""


def test_every_app_is_tested() -> None:
    tested = {app.name for app in WAITING} | RACED_ALONE | ELSEWHERE
    assert {app.name for app in APPS if app.parent != EXAMPLES} == tested
    folders = {path.name for path in EXAMPLES.iterdir() if path.is_dir()}
    assert folders - {"lesson"} == {app.name for app in APPS if app.parent == EXAMPLES}


@pytest.mark.parametrize("waiting", WAITING, ids=lambda waiting: waiting.task or waiting.name)
def test_a_task_that_waits_gains_from_four_slots_with_the_settings_of_its_app(
    waiting: Waiting, tmp_path: Path
) -> None:
    app = app_named(waiting.name, waiting.task)
    raced = race_app(app, tmp_path, waiting.candidate)
    pool, verdict = waiting.candidate.partition(":")[0], raced.verdict
    assert raced.reached(pool) > 2 * raced.reached("solo")
    assert set(raced.candidate(pool)["failures"]) == waiting.failures
    assert verdict["limited_by"] in {"waiting", *({"failures"} if waiting.failures else ())}
    assert verdict["recommended"]["pool"] == pool
    for words in waiting.says:
        assert words in raced.messages + raced.report


def test_a_soft_time_limit_ends_items_in_prefork_only_which_is_said(tmp_path: Path) -> None:
    raced = race_app(app_named("soft_limit"), tmp_path, "prefork:2", "threads:2")
    assert raced.reached("prefork") > 2 * raced.reached("threads")
    assert raced.candidate("prefork")["running_s"]["p50"] < 1
    assert raced.candidate("threads")["running_s"]["p50"] >= 2
    assert raced.candidate("prefork")["failures"] == {}
    assert "applies in prefork only: it had no effect under solo, threads" in raced.report


def test_a_task_class_of_the_app_runs_with_its_hooks(tmp_path: Path) -> None:
    raced = race_app(app_named("custom_class"), tmp_path, "prefork:2")
    assert raced.candidate("prefork")["failures"] == {}  # it fails if its hook did not run
    assert raced.verdict["limited_by"] == "cpu"


def test_the_cpu_time_of_subprocesses_is_that_of_the_task(tmp_path: Path) -> None:
    raced = race_app(app_named("subprocesses"), tmp_path, "threads:2")
    assert raced.candidate("solo")["cpu_s_per_item"] > 0.03  # 3.6 ms without them
    assert raced.candidate("threads")["cpu_s_per_item"] > 0.03


@pytest.mark.timing
def test_a_library_that_computes_in_threads_of_its_own_gets_a_hint(tmp_path: Path) -> None:
    raced = race_app(app_named("numpy_threads"), tmp_path, "threads:1")
    assert "OPENBLAS_NUM_THREADS=1" in raced.report


def test_results_of_megabytes_are_stored_and_cost_the_cpu_of_the_worker(tmp_path: Path) -> None:
    raced = race_app(app_named("large_results"), tmp_path, "threads:2")
    assert raced.candidate("threads")["failures"] == {}
    assert raced.candidate("threads")["cpu_s_per_item"] > 0.004
    assert raced.verdict["limited_by"] in {"cpu", "gil", "broker"}
