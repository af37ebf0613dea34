"""Chunks that hang or exceed their time limit end the job."""

from pathlib import Path

import pytest

from poolrace.producer.errors import ChunkFailed
from poolrace.producer.jobs.job import Job
from poolrace.producer.settings import Settings
from poolrace.workers.errors import ChunkTimeout
from tests.faults.faulty import Faulty
from tests.faults.faulty_worker import NAMED, FaultyWorkers, job_of, run
from tests.faults.runs import every_pool

pytestmark = pytest.mark.usefixtures("faulty_workload")


@every_pool
def test_a_chunk_that_hangs_ends_at_its_time_limit(
    pool: str,
    broker_settings: Settings,
    faulty_workers: FaultyWorkers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The code passes no checkpoint, so only the producer can detect that it hangs."""
    monkeypatch.setattr("poolrace.producer.executors.celery.recovery.OVERDUE_S", 1.0)
    faulty_workers.start(pool)
    try:
        with pytest.raises((ChunkTimeout, ChunkFailed), match=NAMED):
            run(job_of("hang", tmp_path, time_limit_s=0.5), pool, broker_settings)
    finally:
        faulty_workers.stop(pool)


@every_pool
def test_a_chunk_beyond_its_time_limit_stops_by_itself(
    pool: str, broker_settings: Settings, faulty_workers: FaultyWorkers, tmp_path: Path
) -> None:
    workload = Faulty(mark=str(tmp_path), wait_s=0.2)
    slow = Job(workload, 0, 40, time_limit_s=0.5)
    faulty_workers.start(pool)
    with pytest.raises(ChunkTimeout, match=r"limit of 0\.5 s"):
        run(slow, pool, broker_settings)
