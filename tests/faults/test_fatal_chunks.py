"""Chunks that end their process are retried a limited number of times; then the job ends."""

from pathlib import Path

import pytest

from poolrace.producer.errors import ChunkFailed
from poolrace.producer.executors.celery.recovery import MAX_ATTEMPTS
from poolrace.producer.jobs.job import Job
from poolrace.producer.settings import Settings
from poolrace.workers.pools import POOLS
from tests.faults.faulty import Faulty
from tests.faults.faulty_worker import SINGLY, FaultyWorkers, job_of, run
from tests.faults.runs import every_pool
from tests.run_in_thread import assert_exact

pytestmark = pytest.mark.usefixtures("faulty_workload")


@every_pool
def test_a_chunk_that_ends_its_process_loses_no_other_chunk_of_its_batch(
    pool: str, broker_settings: Settings, faulty_workers: FaultyWorkers, tmp_path: Path
) -> None:
    short = Faulty(fault="exit", at=2500, times=1, mark=str(tmp_path), wait_s=0.0)
    faulty_workers.start(pool)
    finished = run(Job(short, 0, 3000), pool, broker_settings, SINGLY)
    assert_exact(finished)
    assert finished.retries + finished.resent + finished.backups > 1, finished.events


@every_pool
def test_a_chunk_that_ends_its_process_once_is_computed_by_a_retry(
    pool: str, broker_settings: Settings, faulty_workers: FaultyWorkers, tmp_path: Path
) -> None:
    faulty_workers.start(pool)
    finished = run(job_of("exit", tmp_path, times=1), pool, broker_settings)
    assert_exact(finished)
    assert finished.retries + finished.resent + finished.backups >= 1, finished.events


@pytest.mark.parametrize(
    ("fault", "pool"), [*(("exit", pool) for pool in POOLS), ("segfault", "prefork")]
)
def test_a_chunk_that_always_ends_its_process_is_named(
    fault: str,
    pool: str,
    broker_settings: Settings,
    faulty_workers: FaultyWorkers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only prefork has a parent that tells a signal from an exit code."""
    monkeypatch.setattr("poolrace.producer.executors.celery.recovery.MAX_LOSSES", 2)
    faulty_workers.start(pool)
    with pytest.raises(ChunkFailed, match=r"chunk \["):
        run(job_of(fault, tmp_path), pool, broker_settings)
    assert 2 <= len(list(tmp_path.iterdir())) <= 2 * MAX_ATTEMPTS
