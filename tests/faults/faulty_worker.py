"""Workers that have the faulty workload, and runs on them."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from poolrace.producer.broker.client import connect
from poolrace.producer.broker.workers import present_workers
from poolrace.producer.cluster.state import Cluster
from poolrace.producer.executors.models import Model, make_executor
from poolrace.producer.experiments.measure import measure
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import ScheduleChoice
from poolrace.producer.results.run import Run
from poolrace.producer.settings import Settings
from poolrace.workers.command_line import worker_command
from tests.conftest import wait_until
from tests.faults.faulty import Faulty
from tests.faults.runs import SLOTS

STOP = 200
"""Indices of a job."""

AT = 117
"""Index of the fault."""

NAMED = r"\[110, 120\)"
"""The chunk that contains the index of the fault."""

BY_TENS = ScheduleChoice("dynamic", chunk_size=10)
SINGLY = ScheduleChoice("dynamic", chunk_size=1)


class _Respawned:
    """A worker that has the faulty workload; started again whenever it ends."""

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
    """Run a worker of the pool; the block begins when the worker is present."""
    with ExitStack() as stack:
        client = stack.enter_context(connect(broker.broker_url))
        stack.enter_context(_Respawned(pool, broker))
        wait_until(lambda: pool in {present.pool for present in present_workers(client)}, 30)
        yield


def job_of(fault: str, mark: Path, times: int = 10**9, **fields: float | None) -> Job:
    """A job whose chunk ``NAMED`` has the fault, at most ``times`` times."""
    workload = Faulty(fault=fault, at=AT, times=times, mark=str(mark))
    return Job(workload, 0, STOP, **fields)  # type: ignore[arg-type] # the only field is a float


def run(job: Job, pool: str, settings: Settings, schedule: ScheduleChoice = BY_TENS) -> Run:
    """Run the job on the pool and measure the run."""
    executor = make_executor(Model("celery", pool), job, settings, schedule)
    return measure(job, executor, schedule.make(len(job)), expected=job.expected())
