"""Chunks that raise are retried a limited number of times; then the job ends and names them."""

from pathlib import Path

import pytest

from poolrace.producer.broker.checkpoint_store import JobStore
from poolrace.producer.broker.client import connect
from poolrace.producer.cluster.state import Cluster
from poolrace.producer.errors import ChunkFailed
from poolrace.producer.executors.celery.recovery import MAX_ATTEMPTS
from poolrace.producer.experiments.saved_jobs import resume
from poolrace.producer.jobs.job import Job
from poolrace.producer.settings import Settings
from tests.faults.faulty import Faulty, register
from tests.faults.faulty_worker import NAMED, SINGLY, STOP, FaultyWorkers, job_of, run
from tests.faults.runs import every_pool
from tests.run_in_thread import assert_exact, has_event

pytestmark = pytest.mark.usefixtures("faulty_workload")


@every_pool
def test_a_chunk_that_raises_is_retried_and_then_named(
    pool: str,
    broker: Cluster,
    broker_settings: Settings,
    faulty_workers: FaultyWorkers,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    faulty_workers.start(pool)
    with connect(broker.broker_url) as client:
        job = job_of("raise", tmp_path, times=MAX_ATTEMPTS)
        with pytest.raises(
            ChunkFailed, match=rf"{NAMED} failed {MAX_ATTEMPTS} time.*on faulty: ZeroDivision"
        ):
            run(job, pool, broker_settings)
        assert "the fault of the test" in caplog.text
        assert 'faulty.py", line' in caplog.text
        assert "on host faulty" in caplog.text
        saved = JobStore(client).load(job.id)
        assert (saved.state, 0 < saved.done < STOP) == ("failed", True)

        resumed = resume(job.id, broker_settings).run(lambda _: lambda ledger, result: None)
        assert_exact(resumed)
        assert resumed.resumed == saved.done


@every_pool
def test_a_chunk_that_raises_once_is_computed_by_a_retry(
    pool: str, broker_settings: Settings, faulty_workers: FaultyWorkers, tmp_path: Path
) -> None:
    faulty_workers.start(pool)
    finished = run(job_of("raise", tmp_path, times=1), pool, broker_settings)
    assert_exact(finished)
    assert finished.retries == 1
    assert has_event(finished, "failed with ZeroDivisionError, attempt 2 follows")


@every_pool
def test_a_chunk_that_raises_in_a_batch_is_named(
    pool: str,
    broker: Cluster,
    broker_settings: Settings,
    faulty_workers: FaultyWorkers,
    tmp_path: Path,
) -> None:
    """Only that chunk fails: all other chunks of its batch are computed."""
    short = Faulty(fault="raise", at=2500, mark=str(tmp_path), wait_s=0.0)
    job = Job(short, 0, 3000)
    faulty_workers.start(pool)
    with pytest.raises(ChunkFailed, match=r"chunk \[2_500, 2_501\) failed 3"):
        run(job, pool, broker_settings, SINGLY)
    assert len(list(tmp_path.iterdir())) == MAX_ATTEMPTS
    with connect(broker.broker_url) as client:
        assert JobStore(client).load(job.id).done > 2000


def test_the_app_of_the_workers_of_these_tests_has_the_workload() -> None:
    workloads: dict[str, object] = {}
    register(workloads)
    assert workloads == {"faulty": Faulty}
