"""Workers that have the faulty workload, and runs on them."""

import os
import signal
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

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
        self.pid = 0
        """Process id of the worker; 0 while it is started again."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep)

    def start(self) -> None:
        """Start the worker."""
        self._thread.start()

    def stop(self) -> None:
        """Kill the worker (SIGKILL), also one that has just been started again."""
        self._over.set()
        while self._thread.is_alive():
            if pid := self.pid:
                with suppress(ProcessLookupError):  # the worker has just ended
                    os.killpg(pid, signal.SIGKILL)
            self._thread.join(0.1)

    def _keep(self) -> None:
        while not self._over.is_set():
            with subprocess.Popen(
                self._command,
                env=self._environment,
                cwd=Path(__file__).parents[2],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            ) as process:
                self.pid = process.pid
                process.wait()
                self.pid = 0


class FaultyWorkers:
    """Faulty workers on one Redis, one of each pool, for several tests."""

    def __init__(self, broker: Cluster) -> None:
        self._broker = broker
        self._running: dict[str, _Respawned] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pool in list(self._running):
            self.stop(pool)

    def start(self, pool: str) -> None:
        """Start the worker of the pool unless it runs, and wait until it is present."""
        if pool not in self._running:
            self._running[pool] = _Respawned(pool, self._broker)
            self._running[pool].start()
        worker = self._running[pool]
        with connect(self._broker.broker_url) as client:
            wait_until(lambda: worker.pid in {known.pid for known in present_workers(client)})

    def stop(self, pool: str) -> None:
        """Kill the worker of the pool (SIGKILL)."""
        self._running.pop(pool).stop()


def job_of(fault: str, mark: Path, times: int = 10**9, **fields: float | None) -> Job:
    """A job whose chunk ``NAMED`` has the fault, at most ``times`` times."""
    workload = Faulty(fault=fault, at=AT, times=times, mark=str(mark))
    return Job(workload, 0, STOP, **fields)  # type: ignore[arg-type] # the only field is a float


def run(job: Job, pool: str, settings: Settings, schedule: ScheduleChoice = BY_TENS) -> Run:
    """Run the job on the pool and measure the run."""
    executor = make_executor(Model("celery", pool), job, settings, schedule)
    return measure(job, executor, schedule.make(len(job)), expected=job.expected())
