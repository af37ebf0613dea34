"""Apps that work in some pools only: the other ones are out, and the reason is said."""

from pathlib import Path

from benchmarks.race.apps import app_named
from tests.races.app_races import race_app


def test_asyncio_run_works_in_threads_and_fails_in_greenlets(tmp_path: Path) -> None:
    raced = race_app(app_named("asyncio_run"), tmp_path, "gevent:4", "threads:4")
    verdict = raced.verdict
    assert set(raced.candidate("gevent")["failures"]) == {"RuntimeError"}
    assert raced.candidate("threads")["failures"] == {}
    assert verdict["recommended"]["pool"] == "threads"
    assert verdict["limited_by"] == "waiting"
    assert "asyncio.run() cannot be called from a running event loop" in raced.report
    assert "cannot patch" not in raced.report


def test_a_connection_that_each_process_opens_is_missing_in_threads_and_greenlets(
    tmp_path: Path,
) -> None:
    app = app_named("process_connection")
    raced = race_app(app, tmp_path, "prefork:2", "gevent:4", "threads:4")
    assert raced.candidate("prefork")["failures"] == {}
    for pool in ("gevent", "threads"):
        assert raced.reached(pool) == 0
        assert set(raced.candidate(pool)["failures"]) == {"IndexError"}
        assert f"{pool}:4 failed: IndexError: list index out of range" in raced.report
    assert raced.verdict["recommended"]["pool"] == "prefork"
    assert "connects tasks.connect to the signal worker_process_init" in raced.report
    assert "it was not called under gevent, threads" in raced.report
    assert " times as fast" not in raced.report  # as what does not work at all


def test_items_that_hang_are_ended_in_greenlets_and_leave_no_thread_free(tmp_path: Path) -> None:
    raced = race_app(app_named("hanging"), tmp_path, "gevent:8", "threads:2")
    assert raced.verdict["recommended"]["pool"] == "gevent"
    (failure,) = raced.candidate("gevent")["failures"]
    assert failure.endswith("TimeLimitExceeded")
    assert raced.candidate("gevent")["running_s"]["p50"] < 0.5
    assert "threads:2 hung: no item finished" in raced.report
    assert "has --time-limit" in raced.report
    assert raced.verdict["limited_by"] == "waiting"


def test_memory_that_items_hold_decides_between_pools_that_are_as_fast(tmp_path: Path) -> None:
    raced = race_app(app_named("large_memory"), tmp_path, "prefork:2", "threads:2")
    assert raced.candidate("solo")["peak_memory_bytes"] > 90 * 2**20  # 50 without the item
    assert raced.candidate("threads")["peak_memory_bytes"] > 150 * 2**20
    assert raced.verdict["recommended"]["pool"] == "threads"


def test_a_service_that_answers_four_at_a_time_is_named_as_the_limit(tmp_path: Path) -> None:
    raced = race_app(app_named("slow_service"), tmp_path, "threads:8", "threads:16")
    assert "the service that the task waits for" in raced.report
    assert raced.verdict["limited_by"] in {"waiting", "service"}
