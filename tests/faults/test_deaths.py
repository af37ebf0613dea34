"""Whatever dies on one machine: the value stays exact, the run goes on within seconds, and it
tells what happened. Each fault hits a real cluster in the middle of a real run."""

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
from tests.during import Progress, assert_whole, during, happened
from tests.faults.faults import (
    Target,
    cut_connections,
    cut_connections_again_and_again,
    end_worker,
    fill_redis,
    fill_redis_now_and_then,
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
"""Indices of a chunk: a fifth of a second."""

AGAIN = "were lost and sent again"

every_pool = pytest.mark.parametrize("pool", POOLS)
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of its own: other tests want theirs whole. Its supervisor restarts what dies."""
    with temporary(Settings(state_dir=tmp_path_factory.mktemp("victim")), SLOTS) as running:
        yield running


@pytest.fixture
def store(victim: Cluster) -> Iterator["redis.Redis"]:
    """A client; the cluster is whole before the test, and clean after it."""
    wait_until(lambda: not victim.broken_parts(), 40)
    with connect(victim.broker_url) as client:
        yield client
        wait_until(lambda: not victim.broken_parts(), 40)
        with connect(victim.broker_url) as afterwards:
            assert_clean(afterwards)


def assert_clean(client: "redis.Redis") -> None:
    """Nothing is left but what expires."""
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
    """A run of about so many seconds, of which a quarter is over."""
    stop = round(SLOTS[pool] * seconds / WAIT_S)
    with during(lambda observer: run_on(cluster, pool, stop, observer)) as progress:
        yield progress
    assert_whole(progress.run())


@every_pool
def test_a_worker_killed(pool: str, victim: Cluster, store: "redis.Redis") -> None:
    """The only one of its pool: the supervisor's replacement comes seconds later."""
    with in_the_middle(victim, pool) as progress:
        kill_worker(Target(victim, pool))
    assert happened(progress.run(), AGAIN)
    assert progress.run().resent >= 1


def test_a_prefork_child_killed(victim: Cluster, store: "redis.Redis") -> None:
    with in_the_middle(victim, "prefork") as progress:
        kill_child(Target(victim, "prefork"))
    assert happened(progress.run(), "failed with WorkerLostError, attempt 2 follows")


@every_pool
def test_a_worker_stopped_and_continued(pool: str, victim: Cluster, store: "redis.Redis") -> None:
    """Its chunks go to nobody, as it is the only one; its late results count once."""
    with in_the_middle(victim, pool) as progress:
        worker = Target(victim, pool).worker
        with stopped(worker, *worker.children(recursive=True)):
            queued = store.llen(pool)
            wait_until(lambda: store.llen(pool) > queued, 30)  # its chunks were sent again
            wait_until(lambda: Target(victim, pool).sign.age_s > SILENT_S + 1, 30)
    for what in ("stopped responding", AGAIN):
        assert happened(progress.run(), what)


@every_pool
def test_a_warm_shutdown_in_mid_chunk(pool: str, victim: Cluster, store: "redis.Redis") -> None:
    with in_the_middle(victim, pool):
        end_worker(Target(victim, pool))


@every_pool
def test_a_message_popped_by_a_worker_that_dies_before_it_noted_it(
    pool: str, victim: Cluster, store: "redis.Redis"
) -> None:
    """Redis gives messages to the stopped worker's open BRPOP; then it is killed."""
    worker = Target(victim, pool).worker
    worker.suspend()
    killer = threading.Timer(1.0, worker.kill)
    killer.start()
    run = _run_unwatched(victim, pool)
    killer.join()
    assert_whole(run)


def _run_unwatched(cluster: Cluster, pool: str) -> Run:
    return run_on(cluster, pool, SLOTS[pool] * CHUNK * 2)


@every_pool
def test_redis_flushed(pool: str, victim: Cluster, store: "redis.Redis") -> None:
    with in_the_middle(victim, pool):
        flush_redis(Target(victim, pool))


@every_pool
def test_redis_killed_and_started_empty(pool: str, victim: Cluster, store: "redis.Redis") -> None:
    with in_the_middle(victim, pool) as progress:
        kill_redis(Target(victim, pool))
    assert happened(progress.run(), "the connection to Redis was lost and restored")


def test_redis_away_for_a_minute_while_chunks_finish(victim: Cluster, store: "redis.Redis") -> None:
    """Longer than Celery's result backend tries by itself."""
    with in_the_middle(victim, "threads"):
        stop_redis(Target(victim, "threads", seconds=60.0))


@every_pool
def test_all_connections_killed(pool: str, victim: Cluster, store: "redis.Redis") -> None:
    with in_the_middle(victim, pool):
        cut_connections(Target(victim, pool))


@pytest.mark.parametrize(
    ("pool", "fault"),
    [("prefork", fill_redis_now_and_then), ("gevent", cut_connections_again_and_again)],
    ids=["full", "cut"],
)
def test_a_fault_in_the_moment_of_sending(
    pool: str, fault: Callable[[Target], None], victim: Cluster, store: "redis.Redis"
) -> None:
    """Thousands of chunks that take no time: batches go out and results come in all the while."""
    with during(lambda observer: run_on(victim, pool, 60_000, observer, 0.0), 0.02) as progress:
        fault(Target(victim, pool))
    assert_whole(progress.run())


def test_a_chunk_that_outlives_signs_and_connections_runs_once(
    victim: Cluster, store: "redis.Redis"
) -> None:
    with during(lambda observer: run_on(victim, "threads", 20, observer, 1.2), 0.0) as progress:
        wait_until(lambda: len(held_chunks(store, "threads")) == SLOTS["threads"])
        cut_connections(Target(victim, "threads"))
        wait_until(lambda: progress.future.done() or store.llen("threads"), 40)
        assert store.llen("threads") == 0
    assert_whole(progress.run())
    assert (progress.run().resent, progress.run().duplicates) == (0, 0)


def test_what_an_emptied_redis_loses_is_held_against_no_chunk(
    victim: Cluster, store: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolrace.producer.executors.celery.recovery.MAX_LOSSES", 1)
    with in_the_middle(victim, "solo") as progress:
        wait_until(lambda: store.llen("solo"))
        flush_redis(Target(victim, "solo"))
    assert progress.run().resent >= 1


def test_a_run_that_begins_as_redis_was_emptied_waits_for_the_workers_to_sign(
    victim: Cluster, store: "redis.Redis"
) -> None:
    flush_redis(Target(victim, "threads"))
    assert_whole(_run_unwatched(victim, "threads"))


@pytest.mark.parametrize("pool", ["gevent"])
def test_redis_paused_for_ten_seconds(pool: str, victim: Cluster, store: "redis.Redis") -> None:
    with in_the_middle(victim, pool):
        pause_redis(Target(victim, pool, seconds=10.0))


@pytest.mark.parametrize("pool", ["prefork"])
def test_redis_stopped_for_ten_seconds(pool: str, victim: Cluster, store: "redis.Redis") -> None:
    with in_the_middle(victim, pool):
        stop_redis(Target(victim, pool, seconds=10.0))


@every_pool
def test_redis_full_for_a_while(pool: str, victim: Cluster, store: "redis.Redis") -> None:
    """Chunks that end meanwhile keep their results, and their slots, until there is room."""
    with in_the_middle(victim, pool) as progress:
        fill_redis(Target(victim, pool, seconds=6.0))
    assert not progress.run().retries


def test_two_jobs_on_a_pool_while_its_worker_dies(victim: Cluster, store: "redis.Redis") -> None:
    with in_the_middle(victim, "threads") as one, in_the_middle(victim, "threads") as other:
        kill_worker(Target(victim, "threads"))
    assert one.run().job != other.run().job


def test_messages_of_an_earlier_job_do_no_harm(victim: Cluster, store: "redis.Redis") -> None:
    """Its producer was killed; what it left in the queue is computed, and counted by nobody."""
    job = Job(make_workload("mixed", {"cpu_s": 0.0, "wait_s": WAIT_S}), 0, 100)
    settings = Settings(broker_url=victim.broker_url)
    executor = make_executor(Model("celery", "solo"), job, settings)
    executor.start()
    executor.submit(list(ScheduleChoice("static", chunks=10).make(100).chunks(0, 100, 1)))
    executor.close()  # as if it had ended without a word
    with in_the_middle(victim, "solo", seconds=1.0):
        pass


def test_a_worker_that_joins_in_the_middle_takes_its_share(
    victim: Cluster, store: "redis.Redis"
) -> None:
    with (
        in_the_middle(victim, "solo", seconds=12.0) as progress,
        worker_beside(victim, "solo", "second"),
    ):
        run = progress.future.result(timeout=60)
    assert happened(run, "solo@second joined with 1 slot(s)")
    assert set(run.shares) == {present_workers(store)[0].host.host, "second"}


@pytest.mark.parametrize("pool", ["threads", "gevent"])
def test_a_host_far_away_takes_its_share(pool: str, victim: Cluster, store: "redis.Redis") -> None:
    """A tenth of a second each way: what is under way for longer is not taken for lost."""
    with (
        slow_link(victim.broker_url, delay_s=0.1) as url,
        worker_beside(victim, pool, "far", url),
    ):
        wait_until(lambda: len([it for it in present_workers(store) if it.pool == pool]) == 2)
        run = run_on(victim, pool, 2 * SLOTS[pool] * 200)
    assert_whole(run)
    assert "far" in run.shares
    assert run.resent < run.chunks / 20
