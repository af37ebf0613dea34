"""Runs on the containers of a test, and the state of these containers."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis
from pytest_celery import CeleryTestSetup, CeleryTestWorker

from poolrace.producer.executors.models import Model, make_executor
from poolrace.producer.experiments.dispatch import Observer, ignore_progress
from poolrace.producer.experiments.measure import measure
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import AUTO, ScheduleChoice
from poolrace.producer.results.run import Run
from poolrace.producer.settings import Settings
from poolrace.workers.runtime.presence import EXPIRE_S, presence_key
from poolrace.workers.workloads import Workload, make_workload
from tests.conftest import wait_until
from tests.run_in_thread import Progress, run_in_thread

WAITING = make_workload("mixed", {"cpu_s": 0, "wait_s": 0.05})
PER_SECOND = 20
"""Indices per second of ``WAITING`` on one slot."""

CHUNK = 5
"""Indices of ``WAITING`` in a chunk; one takes a quarter of a second."""

SLOTS = {"prefork": 2, "threads": 2, "gevent": 4, "solo": 1}


def hosts_of(*pools: str) -> pytest.MarkDecorator:
    """Parametrise a test: two hosts of a pool, once for each of these pools."""
    pairs = [(f"{pool}_1", f"{pool}_2") for pool in pools]
    return pytest.mark.parametrize("hosts", pairs, ids=pools)


def settings_of(setup: CeleryTestSetup) -> Settings:
    """Settings of a producer on this machine, outside of the containers."""
    return Settings(
        broker_url=setup.broker.config()["host_url"],
        result_backend=setup.backend.config()["host_url"],
    )


def run_on(
    setup: CeleryTestSetup,
    pool: str,
    workload: Workload,
    stop: int,
    schedule: ScheduleChoice = AUTO,
    observer: Observer = ignore_progress,
) -> Run:
    """Measure one run in the same way as ``producer run``."""
    job = Job(workload, 0, stop)
    executor = make_executor(Model("celery", pool), job, settings_of(setup), schedule)
    return measure(
        job, executor, schedule.make(len(job)), expected=job.expected(), observer=observer
    )


@contextmanager
def in_the_middle(
    setup: CeleryTestSetup,
    seconds: float,
    workload: Workload = WAITING,
    per_second: int = PER_SECOND,
    chunk: int = CHUNK,
) -> Iterator[Progress]:
    """A run of about ``seconds`` seconds; the block begins when a quarter of it is done."""
    pool = pool_of(setup)
    stop = round(SLOTS[pool] * len(list(setup.worker_cluster)) * seconds * per_second)
    schedule = ScheduleChoice("dynamic", chunk_size=chunk)
    with run_in_thread(
        lambda observer: run_on(setup, pool, workload, stop, schedule, observer)
    ) as progress:
        yield progress


def host_of(worker: CeleryTestWorker) -> str:
    """Name of the host in results."""
    host: str = worker.container.attrs["Config"]["Hostname"]
    return host


def name_of(worker: CeleryTestWorker) -> str:
    """Name of the worker in events."""
    return f"{host_of(worker).partition('-')[0]}@{host_of(worker)}"


def pool_of(setup: CeleryTestSetup) -> str:
    """The pool of all containers of the test."""
    [pool] = {host_of(worker).partition("-")[0] for worker in setup.worker_cluster}
    return pool


def wait_until_silent(setup: CeleryTestSetup, worker: CeleryTestWorker, for_s: float) -> None:
    """Wait until the last announcement of the worker is ``for_s`` seconds old, by its expiry."""
    with redis.Redis.from_url(setup.broker.config()["host_url"]) as client:
        key = presence_key(name_of(worker))
        wait_until(lambda: _left_ms(client, key) < (EXPIRE_S - for_s) * 1000, 30)


def _left_ms(client: "redis.Redis", key: str) -> int:
    left = client.pttl(key)
    assert isinstance(left, int)
    return left
