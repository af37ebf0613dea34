"""Chunks that fail, hang or end their worker: tried again a stated number of times, then the
job ends with an error that names them; what else was done is kept."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from poolrace.producer.broker.checkpoints import JobStore
from poolrace.producer.broker.client import connect
from poolrace.producer.broker.workers import present_workers
from poolrace.producer.cluster.lifecycle import Cluster, temporary
from poolrace.producer.errors import ChunkFailed
from poolrace.producer.executors.celery.recovery import MAX_ATTEMPTS
from poolrace.producer.executors.models import Model, make_executor
from poolrace.producer.experiments.measure import measure
from poolrace.producer.experiments.saved_jobs import resume
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import ScheduleChoice
from poolrace.producer.results.run import Run
from poolrace.producer.settings import Settings
from poolrace.workers.command_line import worker_command
from poolrace.workers.errors import ChunkTimeout
from poolrace.workers.pools import POOLS
from poolrace.workers.workloads import WORKLOADS
from tests.conftest import wait_until
from tests.during import assert_whole, happened
from tests.faults.faulty import Faulty, register

SLOTS = {"prefork": 2, "threads": 2, "gevent": 4, "solo": 1}
STOP, AT = 200, 117
BY_TENS = ScheduleChoice("dynamic", chunk_size=10)
SINGLY = ScheduleChoice("dynamic", chunk_size=1)
NAMED = r"\[110, 120\)"
"""The chunk that holds the index at which it happens."""

every_pool = pytest.mark.parametrize("pool", POOLS)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Redis alone."""
    with temporary(Settings(state_dir=tmp_path_factory.mktemp("state")), {}) as running:
        yield running


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WORKLOADS, Faulty.name, Faulty)


@pytest.fixture
def settings(broker: Cluster) -> Settings:
    return Settings(broker_url=broker.broker_url)


class _Respawned:
    """A worker that knows the faulty workload, started again whenever it ends."""

    def __init__(self, pool: str, broker: Cluster) -> None:
        command = worker_command(pool, SLOTS[pool], "faulty")
        self._command = [
            part.replace("poolrace.workers.tasks", "tests.faults.faulty") for part in command
        ]
        self._environment = {
            **os.environ, "CELERY_BROKER_URL": broker.broker_url, "POOLRACE_HOST": "faulty",
        }  # fmt: skip
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        os.killpg(self._process.pid, signal.SIGKILL)
        self._thread.join()

    def _keep(self) -> None:
        while not self._over.is_set():
            with subprocess.Popen(
                self._command,
                env=self._environment,
                cwd=Path(__file__).parents[2],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            ) as self._process:
                self._process.wait()


@contextmanager
def worker(pool: str, broker: Cluster) -> Iterator[None]:
    with ExitStack() as stack:
        client = stack.enter_context(connect(broker.broker_url))
        stack.enter_context(_Respawned(pool, broker))
        wait_until(lambda: pool in {it.pool for it in present_workers(client)}, 30)
        yield


def job_of(fault: str, mark: Path, times: int = 10**9, **fields: float | None) -> Job:
    workload = Faulty(fault=fault, at=AT, times=times, mark=str(mark))
    return Job(workload, 0, STOP, **fields)  # type: ignore[arg-type] # the one field is a float


def run(job: Job, pool: str, settings: Settings, schedule: ScheduleChoice = BY_TENS) -> Run:
    executor = make_executor(Model("celery", pool), job, settings, schedule)
    return measure(job, executor, schedule.make(len(job)), expected=job.expected())


@every_pool
def test_a_chunk_that_raises_is_tried_again_and_then_named(
    pool: str,
    broker: Cluster,
    settings: Settings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with worker(pool, broker), connect(broker.broker_url) as client:
        job = job_of("raise", tmp_path, times=MAX_ATTEMPTS)
        with pytest.raises(
            ChunkFailed, match=rf"{NAMED} failed {MAX_ATTEMPTS} time.*on faulty: ZeroDivision"
        ):
            run(job, pool, settings)
        assert "as it was told to" in caplog.text
        assert 'faulty.py", line' in caplog.text
        assert "on host faulty" in caplog.text
        kept = JobStore(client).load(job.id)
        assert (kept.state, 0 < kept.done < STOP) == ("failed", True)

        resumed = resume(job.id, settings).run(lambda _: lambda ledger, result: None)
        assert_whole(resumed)
        assert resumed.resumed == kept.done


@every_pool
def test_a_chunk_that_raises_once_is_computed_after_all(
    pool: str, broker: Cluster, settings: Settings, tmp_path: Path
) -> None:
    with worker(pool, broker):
        found = run(job_of("raise", tmp_path, times=1), pool, settings)
    assert_whole(found)
    assert found.retries == 1
    assert happened(found, "failed with ZeroDivisionError, attempt 2 follows")


@every_pool
def test_a_chunk_that_raises_among_many_that_share_its_message_is_named(
    pool: str, broker: Cluster, settings: Settings, tmp_path: Path
) -> None:
    """It alone: those before and after it are computed."""
    short = Faulty(fault="raise", at=2500, mark=str(tmp_path), wait_s=0.0)
    job = Job(short, 0, 3000)
    with worker(pool, broker), pytest.raises(ChunkFailed, match=r"chunk \[2_500, 2_501\) failed 3"):
        run(job, pool, settings, SINGLY)
    assert len(list(tmp_path.iterdir())) == MAX_ATTEMPTS
    with connect(broker.broker_url) as client:
        assert JobStore(client).load(job.id).done > 2000


@every_pool
def test_a_chunk_that_ends_its_process_among_many_that_share_its_message_costs_none_of_them(
    pool: str, broker: Cluster, settings: Settings, tmp_path: Path
) -> None:
    short = Faulty(fault="exit", at=2500, times=1, mark=str(tmp_path), wait_s=0.0)
    with worker(pool, broker):
        found = run(Job(short, 0, 3000), pool, settings, SINGLY)
    assert_whole(found)
    assert found.retries + found.resent + found.backups > 1, found.events


@every_pool
def test_a_chunk_that_ends_its_process_once_is_computed_after_all(
    pool: str, broker: Cluster, settings: Settings, tmp_path: Path
) -> None:
    with worker(pool, broker):
        found = run(job_of("exit", tmp_path, times=1), pool, settings)
    assert_whole(found)
    assert found.retries + found.resent + found.backups >= 1, found.events


@every_pool
@pytest.mark.parametrize("fault", ["exit", "segfault"])
def test_a_chunk_that_always_ends_its_process_is_named(
    fault: str,
    pool: str,
    broker: Cluster,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("poolrace.producer.executors.celery.recovery.MAX_LOSSES", 2)
    with worker(pool, broker), pytest.raises(ChunkFailed, match=r"chunk \["):
        run(job_of(fault, tmp_path), pool, settings)
    assert 2 <= len(list(tmp_path.iterdir())) <= 2 * MAX_ATTEMPTS


@every_pool
def test_a_chunk_that_hangs_ends_at_its_time_limit(
    pool: str,
    broker: Cluster,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In code that passes no checkpoint, so that nothing but the producer can notice."""
    monkeypatch.setattr("poolrace.producer.executors.celery.recovery.HANG_S", 1.0)
    with worker(pool, broker), pytest.raises((ChunkTimeout, ChunkFailed), match=NAMED):
        run(job_of("hang", tmp_path, time_limit_s=0.5), pool, settings)


@every_pool
def test_a_chunk_beyond_its_time_limit_stops_by_itself(
    pool: str, broker: Cluster, settings: Settings, tmp_path: Path
) -> None:
    workload = Faulty(mark=str(tmp_path), wait_s=0.2)
    slow = Job(workload, 0, 40, time_limit_s=0.5)
    with worker(pool, broker), pytest.raises(ChunkTimeout, match=r"limit of 0\.5 s"):
        run(slow, pool, settings)


def test_the_workers_app_of_these_tests_knows_the_workload() -> None:
    known: dict[str, object] = {}
    register(known)
    assert known == {"faulty": Faulty}
