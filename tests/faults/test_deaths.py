"""Faults on one machine: the value stays exact, the run continues, and it records the events.

Each fault happens on a real cluster while a real run goes on.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from poolrace.producer.broker.client import connect
from poolrace.producer.broker.workers import SILENT_S, present_workers
from poolrace.producer.cluster.lifecycle import Cluster, temporary
from poolrace.producer.executors.models import Model, make_executor
from poolrace.producer.experiments.dispatch import Observer, ignore_progress
from poolrace.producer.experiments.measure import measure
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import ScheduleChoice
from poolrace.producer.results.run import Run
from poolrace.producer.settings import Settings
from poolrace.workers.pools import POOLS
from poolrace.workers.workloads import make_workload
from tests.conftest import held_chunks, wait_until
from tests.during import Progress, assert_exact, during, has_event
from tests.faults.faults import (
    Target,
    cut_connections,
    cut_connections_repeatedly,
    end_worker,
    fill_redis,
    fill_redis_repeatedly,
    flush_redis,
    kill_child,
    kill_redis,
    kill_worker,
    pause_redis,
    stop_redis,
    stopped,
    worker_beside,
)
from tests.faults.slow_link import slow_link

if TYPE_CHECKING:
    import redis

SLOTS = {"prefork": 2, "threads": 2, "gevent": 4, "solo": 1}
WAIT_S = 0.02
CHUNK = 10
"""Indices of a chunk; one takes a fifth of a second."""

SENT_AGAIN = "were nowhere to be found, sent again"

every_pool = pytest.mark.parametrize("pool", POOLS)
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster for faults, separate from that of other tests; its supervisor restarts programs."""
    with temporary(Settings(state_dir=tmp_path_factory.mktemp("victim")), SLOTS) as running:
        yield running


@pytest.fixture
def store(victim: Cluster) -> Iterator["redis.Redis"]:
    """A client; the cluster is complete before the test, and without leftovers after it."""
    wait_until(lambda: not victim.broken_parts(), 40)
    with connect(victim.broker_url) as client:
        yield client
        wait_until(lambda: not victim.broken_parts(), 40)
        with connect(victim.broker_url) as afterwards:
            assert_clean(afterwards)


def assert_clean(client: "redis.Redis") -> None:
    """Assert that queues are empty, workers are idle, and all keys expire."""
    for pool in POOLS:
        wait_until(partial(_idle, client, pool), 20)
    lasting = {
        key
        for key in client.scan_iter()
        if client.ttl(key) == -1 and not key.startswith(b"_kombu.binding")
    }
    assert lasting == set()


def _idle(client: "redis.Redis", pool: str) -> bool:
    return client.llen(pool) == 0 and not held_chunks(client, pool)


def run_on(
    cluster: Cluster,
    pool: str,
    stop: int,
    observer: Observer = ignore_progress,
    wait_s: float = WAIT_S,
) -> Run:
    job = Job(make_workload("mixed", {"cpu_s": 0.0, "wait_s": wait_s}), 0, stop)
    schedule = ScheduleChoice("dynamic", chunk_size=CHUNK if wait_s else 1)
    settings = Settings(broker_url=cluster.broker_url)
    executor = make_executor(Model("celery", pool), job, settings, schedule)
    return measure(job, executor, schedule.make(stop), expected=job.expected(), observer=observer)


@contextmanager
def in_the_middle(cluster: Cluster, pool: str, seconds: float = 2.0) -> Iterator[Progress]:
    """A run of about that many seconds; the block begins when a quarter of it is done."""
    stop = round(SLOTS[pool] * seconds / WAIT_S)
    with during(lambda observer: run_on(cluster, pool, stop, observer)) as progress:
        yield progress
    assert_exact(progress.run())


@every_pool
def test_a_run_survives_a_killed_worker(pool: str, victim: Cluster, store: "redis.Redis") -> None:
    """The only worker of its pool; the supervisor starts a new one seconds later."""
    with in_the_middle(victim, pool) as progress:
        kill_worker(Target(victim, pool))
    assert has_event(progress.run(), SENT_AGAIN)
    assert progress.run().resent >= 1


def test_a_run_survives_a_killed_prefork_child(victim: Cluster, store: "redis.Redis") -> None:
    with in_the_middle(victim, "prefork") as progress:
        kill_child(Target(victim, "prefork"))
    assert has_event(progress.run(), "failed with WorkerLostError, attempt 2 follows")


@every_pool
def test_a_run_survives_a_stopped_and_continued_worker(
    pool: str, victim: Cluster, store: "redis.Redis"
) -> None:
    """No other worker can take its chunks; its late results count once."""
    with in_the_middle(victim, pool) as progress:
        worker = Target(victim, pool).worker
        with stopped(worker, *worker.children(recursive=True)):
            queued = store.llen(pool)
            wait_until(lambda: store.llen(pool) > queued, 30)  # its chunks were sent again
            wait_until(lambda: Target(victim, pool).announcement.age_s > SILENT_S + 1, 30)
    for text in ("fell silent", SENT_AGAIN):
        assert has_event(progress.run(), text)


@every_pool
def test_a_run_survives_a_warm_shutdown_during_a_chunk(
    pool: str, victim: Cluster, store: "redis.Redis"
) -> None:
    with in_the_middle(victim, pool):
        end_worker(Target(victim, pool))


@every_pool
def test_a_message_is_not_lost_with_a_worker_killed_right_after_brpop(
    pool: str, victim: Cluster, store: "redis.Redis"
) -> None:
    """Redis delivers messages to the pending BRPOP of a stopped worker, which is killed then."""
    worker = Target(victim, pool).worker
    worker.suspend()
    killer = threading.Timer(1.0, worker.kill)
    killer.start()
    run = _run_unwatched(victim, pool)
    killer.join()
    assert_exact(run)


def _run_unwatched(cluster: Cluster, pool: str) -> Run:
    return run_on(cluster, pool, SLOTS[pool] * CHUNK * 2)


@every_pool
def test_a_run_survives_a_flushed_redis(pool: str, victim: Cluster, store: "redis.Redis") -> None:
    with in_the_middle(victim, pool):
        flush_redis(Target(victim, pool))


@every_pool
def test_a_run_survives_a_killed_redis_that_starts_empty(
    pool: str, victim: Cluster, store: "redis.Redis"
) -> None:
    with in_the_middle(victim, pool) as progress:
        kill_redis(Target(victim, pool))
    assert has_event(progress.run(), "the connection to Redis was lost and made again")


def test_a_run_survives_a_minute_without_redis_while_chunks_end(
    victim: Cluster, store: "redis.Redis"
) -> None:
    """A minute is longer than the retries of Celery's result backend."""
    with in_the_middle(victim, "threads"):
        stop_redis(Target(victim, "threads", seconds=60.0))


@every_pool
def test_a_run_survives_the_loss_of_all_connections(
    pool: str, victim: Cluster, store: "redis.Redis"
) -> None:
    with in_the_middle(victim, pool):
        cut_connections(Target(victim, pool))


@pytest.mark.parametrize(
    ("pool", "fault"),
    [("prefork", fill_redis_repeatedly), ("gevent", cut_connections_repeatedly)],
    ids=["full", "cut"],
)
def test_a_run_survives_faults_while_it_sends(
    pool: str, fault: Callable[[Target], None], victim: Cluster, store: "redis.Redis"
) -> None:
    """Thousands of chunks that take no time: the producer sends and receives all the time."""
    with during(lambda observer: run_on(victim, pool, 60_000, observer, 0.0), 0.02) as progress:
        fault(Target(victim, pool))
    assert_exact(progress.run())


def test_a_chunk_longer_than_an_announcement_and_a_connection_runs_once(
    victim: Cluster, store: "redis.Redis"
) -> None:
    with during(lambda observer: run_on(victim, "threads", 20, observer, 1.2), 0.0) as progress:
        wait_until(lambda: len(held_chunks(store, "threads")) == SLOTS["threads"])
        cut_connections(Target(victim, "threads"))
        wait_until(lambda: progress.future.done() or store.llen("threads"), 40)
        assert store.llen("threads") == 0
    assert_exact(progress.run())
    assert (progress.run().resent, progress.run().duplicates) == (0, 0)


def test_messages_lost_by_an_emptied_redis_do_not_count_as_losses_of_a_chunk(
    victim: Cluster, store: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolrace.producer.executors.celery.pool.MAX_LOSSES", 1)
    with in_the_middle(victim, "solo") as progress:
        wait_until(lambda: store.llen("solo"))
        flush_redis(Target(victim, "solo"))
    assert progress.run().resent >= 1


def test_a_run_that_begins_on_an_emptied_redis_waits_for_announcements(
    victim: Cluster, store: "redis.Redis"
) -> None:
    flush_redis(Target(victim, "threads"))
    assert_exact(_run_unwatched(victim, "threads"))


@pytest.mark.parametrize("pool", ["gevent"])
def test_a_run_survives_redis_paused_for_ten_seconds(
    pool: str, victim: Cluster, store: "redis.Redis"
) -> None:
    with in_the_middle(victim, pool):
        pause_redis(Target(victim, pool, seconds=10.0))


@pytest.mark.parametrize("pool", ["prefork"])
def test_a_run_survives_redis_stopped_for_ten_seconds(
    pool: str, victim: Cluster, store: "redis.Redis"
) -> None:
    with in_the_middle(victim, pool):
        stop_redis(Target(victim, pool, seconds=10.0))


@every_pool
def test_a_run_waits_while_redis_is_full(pool: str, victim: Cluster, store: "redis.Redis") -> None:
    """Workers keep the results of chunks that end meanwhile, until Redis takes them."""
    with in_the_middle(victim, pool) as progress:
        fill_redis(Target(victim, pool, seconds=6.0))
    assert not progress.run().retries


def test_two_jobs_on_a_pool_survive_a_killed_worker(victim: Cluster, store: "redis.Redis") -> None:
    with in_the_middle(victim, "threads") as first, in_the_middle(victim, "threads") as second:
        kill_worker(Target(victim, "threads"))
    assert first.run().job != second.run().job


def test_messages_of_an_earlier_job_do_no_harm(victim: Cluster, store: "redis.Redis") -> None:
    """Workers compute the messages that its killed producer left; no ledger counts the results."""
    job = Job(make_workload("mixed", {"cpu_s": 0.0, "wait_s": WAIT_S}), 0, 100)
    settings = Settings(broker_url=victim.broker_url)
    executor = make_executor(Model("celery", "solo"), job, settings)
    executor.start()
    executor.submit(list(ScheduleChoice("static", chunks=10).make(100).chunks(0, 100, 1)))
    executor.close()  # as if its process had been killed
    with in_the_middle(victim, "solo", seconds=1.0):
        pass


def test_a_worker_that_joins_a_run_computes_a_share(victim: Cluster, store: "redis.Redis") -> None:
    with (
        in_the_middle(victim, "solo", seconds=12.0) as progress,
        worker_beside(victim, "solo", "second"),
    ):
        run = progress.future.result(timeout=60)
    assert has_event(run, "solo@second joined with 1 slot(s)")
    assert set(run.shares) == {present_workers(store)[0].host.host, "second"}


@pytest.mark.parametrize("pool", ["threads", "gevent"])
def test_a_host_behind_a_slow_link_computes_a_share(
    pool: str, victim: Cluster, store: "redis.Redis"
) -> None:
    """A tenth of a second in each direction: messages in transit do not count as lost."""
    with (
        slow_link(victim.broker_url, delay_s=0.1) as url,
        worker_beside(victim, pool, "far", url),
    ):
        wait_until(lambda: sum(worker.pool == pool for worker in present_workers(store)) == 2)
        run = run_on(victim, pool, 2 * SLOTS[pool] * 200)
    assert_exact(run)
    assert "far" in run.shares
    assert run.resent < run.chunks / 20
