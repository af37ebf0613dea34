"""Chunks that hang or exceed their time limit end the job."""

from pathlib import Path

import pytest

from poolrace.producer.cluster.state import Cluster
from poolrace.producer.errors import ChunkFailed
from poolrace.producer.jobs.job import Job
from poolrace.producer.settings import Settings
from poolrace.workers.errors import ChunkTimeout
from tests.faults.faulty import Faulty
from tests.faults.faulty_worker import NAMED, job_of, run, worker
from tests.faults.runs import every_pool

pytestmark = pytest.mark.usefixtures("faulty_workload")


@every_pool
def test_a_chunk_that_hangs_ends_at_its_time_limit(
    pool: str,
    broker: Cluster,
    broker_settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The code passes no checkpoint, so only the producer can detect that it hangs."""
    monkeypatch.setattr("poolrace.producer.executors.celery.recovery.OVERDUE_S", 1.0)
    with worker(pool, broker), pytest.raises((ChunkTimeout, ChunkFailed), match=NAMED):
        run(job_of("hang", tmp_path, time_limit_s=0.5), pool, broker_settings)


@every_pool
def test_a_chunk_beyond_its_time_limit_stops_by_itself(
    pool: str, broker: Cluster, broker_settings: Settings, tmp_path: Path
) -> None:
    workload = Faulty(mark=str(tmp_path), wait_s=0.2)
    slow = Job(workload, 0, 40, time_limit_s=0.5)
    with worker(pool, broker), pytest.raises(ChunkTimeout, match=r"limit of 0\.5 s"):
        run(slow, pool, broker_settings)
