"""Runs on the cluster of the fault tests, and the state in which a fault must leave the cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from poolrace.producer.cluster.state import Cluster
from poolrace.producer.executors.models import Model, make_executor
from poolrace.producer.experiments.dispatch import Observer, ignore_progress
from poolrace.producer.experiments.measure import measure
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import ScheduleChoice
from poolrace.producer.results.run import Run
from poolrace.producer.settings import Settings
from poolrace.workers.pools import POOLS
from poolrace.workers.protocol import queue_of
from poolrace.workers.workloads import make_workload
from tests.conftest import held_chunks, wait_until
from tests.run_in_thread import Progress, assert_exact, run_in_thread

if TYPE_CHECKING:
    import redis

SLOTS = {"prefork": 2, "threads": 2, "gevent": 4, "solo": 1}
"""Slots of each pool of the cluster."""

WAIT_S = 0.02
"""Seconds to wait per index."""

CHUNK = 10
"""Indices of a chunk; one takes a fifth of a second."""

SENT_AGAIN = "were lost and sent again"
"""Event of a run that sent lost chunks again."""

every_pool = pytest.mark.parametrize("pool", POOLS)


def assert_clean(client: "redis.Redis") -> None:
    """Assert that queues are empty, workers are idle, and all keys expire."""
    for pool in POOLS:
        wait_until(partial(_idle, client, pool))
    assert lasting_keys(client) == set()


def lasting_keys(client: "redis.Redis") -> set[bytes]:
    """The keys that do not expire, except those of Celery and kombu."""
    return {
        key
        for key in client.scan_iter()
        if client.ttl(key) == -1 and not key.startswith(b"_kombu.binding")
    }


def _idle(client: "redis.Redis", pool: str) -> bool:
    return client.llen(queue_of(pool)) == 0 and not held_chunks(client, pool)


def run_on(
    cluster: Cluster,
    pool: str,
    stop: int,
    observer: Observer = ignore_progress,
    wait_s: float = WAIT_S,
) -> Run:
    """Run ``stop`` indices on the pool and measure the run."""
    job = Job(make_workload("mixed", {"cpu_s": 0.0, "wait_s": wait_s}), 0, stop)
    schedule = ScheduleChoice("dynamic", chunk_size=CHUNK if wait_s else 1)
    settings = Settings(broker_url=cluster.broker_url)
    executor = make_executor(Model("celery", pool), job, settings, schedule)
    return measure(job, executor, schedule.make(stop), expected=job.expected(), observer=observer)


def short_run(cluster: Cluster, pool: str) -> Run:
    """A run with two chunks per slot."""
    return run_on(cluster, pool, SLOTS[pool] * CHUNK * 2)


@contextmanager
def in_the_middle(
    cluster: Cluster, pool: str, seconds: float = 2.0, *, held: bool = False
) -> Iterator[Progress]:
    """A run of about ``seconds`` seconds; the block begins when a quarter of it is done."""
    stop = round(SLOTS[pool] * seconds / WAIT_S)
    with run_in_thread(
        lambda observer: run_on(cluster, pool, stop, observer), held=held
    ) as progress:
        yield progress
    assert_exact(progress.run())
