"""The Celery executor on a real cluster: push, bounded memory, failures, foreign messages."""

import json
import statistics
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import kombu.pools
import pytest
import redis

from poolrace.producer.broker.checkpoint_store import job_key
from poolrace.producer.errors import ChunkFailed, JobFailed
from poolrace.producer.executors.celery.messages import Messages
from poolrace.producer.executors.celery.pool import CeleryPool
from poolrace.producer.executors.models import ONE_SLOT, Model, make_executor
from poolrace.producer.experiments.dispatch import dispatch
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import Ledger
from poolrace.producer.jobs.schedules import AUTO, Dynamic, ScheduleChoice
from poolrace.producer.settings import Settings
from poolrace.workers.chunks import Chunk, ChunkResult, results_to_json
from poolrace.workers.errors import ClusterError, UsageError
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.pools import POOLS
from poolrace.workers.protocol import queue_of
from poolrace.workers.runtime.presence import Announcer, Presence, presence_key
from poolrace.workers.runtime.transport import Channel
from poolrace.workers.workloads import make_workload
from tests.conftest import run_once, wait_until

if TYPE_CHECKING:
    from poolrace.producer.results.run import Run

pools = pytest.mark.parametrize("pool", POOLS)


def job_keys(store: redis.Redis, job: Job) -> list[bytes]:
    """The keys of a job in Redis, without its checkpoint, which expires."""
    keys = set(store.scan_iter(f"*{job.id}*"))
    expiring = {key for key in keys if key == job_key(job.id).encode() and store.ttl(key) > 0}
    return list(keys - expiring)


@pytest.mark.timing
@pools
def test_a_one_chunk_job_on_a_warm_pool_takes_milliseconds(
    pool: str, with_cluster: Settings
) -> None:
    """Celery's group().get() would take 500 ms: it polls for results."""
    workload = make_workload("sum", {})
    schedule = ScheduleChoice("static", chunks=1)
    model = Model("celery", pool)
    runs = [run_once(workload, 0, 1000, model, with_cluster, schedule) for _ in range(7)]
    assert all(run.chunks == 1 and run.exact for run in runs)
    assert statistics.median(run.elapsed_s for run in runs) < 0.05


@pools
def test_nothing_of_a_finished_job_stays_in_redis(
    pool: str, with_cluster: Settings, store: redis.Redis
) -> None:
    job = Job(make_workload("sum", {}), 0, 3000)
    with make_executor(Model("celery", pool), job, with_cluster) as executor:
        assert dispatch(job, executor, Dynamic(size=10)).complete
    wait_until(lambda: not job_keys(store, job))
    assert store.llen(queue_of(pool)) == 0


def test_memory_of_redis_depends_on_the_slots_and_not_on_the_number_of_chunks(
    with_cluster: Settings, store: redis.Redis
) -> None:
    job = Job(make_workload("sum", {}), 0, 2000)
    most = 0

    def count_keys(ledger: Ledger, _: ChunkResult | None) -> None:
        nonlocal most
        if ledger.done % 100 == 0:
            most = max(most, len(job_keys(store, job)) + int(store.llen(queue_of("threads"))))

    with make_executor(Model("celery", "threads"), job, with_cluster) as executor:
        dispatch(job, executor, Dynamic(size=1), count_keys)
    assert 0 < most < 500


@pools
def test_short_chunks_share_messages(pool: str, with_cluster: Settings, store: redis.Redis) -> None:
    def sent() -> int:
        lists = store.info("commandstats").get("cmdstat_lpush")  # none before the first message
        return int(lists["calls"]) if lists else 0

    before = sent()
    schedule = ScheduleChoice("dynamic", chunk_size=1)
    run = run_once(make_workload("sum", {}), 0, 4000, Model("celery", pool), with_cluster, schedule)
    assert run.exact
    assert run.chunks == 4000
    assert sent() - before < 1000


def test_large_results_share_no_message(with_cluster: Settings) -> None:
    """Redis refuses values of 1 MiB; each of these factorials has 8 KiB or more."""
    workload = make_workload("factorial", {"wait_s": 0.0})
    schedule = ScheduleChoice("dynamic", chunk_size=1)
    run = run_once(workload, 6000, 6300, Model("celery", "threads"), with_cluster, schedule)
    assert run.exact
    assert run.chunks == 300
    assert not run.retries


@pools
def test_a_slot_limit_is_kept(pool: str, with_cluster: Settings) -> None:
    workload = make_workload("mixed", {"cpu_s": 0.0, "wait_s": 0.05})
    schedule = ScheduleChoice("dynamic", chunk_size=1)
    run = run_once(workload, 0, 6, Model("celery", pool, 1), with_cluster, schedule)
    assert run.slots == 1
    assert run.elapsed_s >= 6 * 0.05


def test_more_slots_than_the_pool_has_are_refused(with_cluster: Settings) -> None:
    with pytest.raises(UsageError, match="3 is more than the 2 slots"):
        run_once(make_workload("sum", {}), 0, 10, Model("celery", "prefork", 3), with_cluster)


@pytest.mark.parametrize("pool", [name for name in POOLS if name not in ONE_SLOT])
def test_no_chunk_waits_behind_a_long_one_while_another_slot_is_free(
    pool: str, with_cluster: Settings
) -> None:
    job = Job(make_workload("mixed", {"cpu_s": 0.0, "wait_s": 0.01}), 0, 10**6)
    with make_executor(Model("celery", pool), job, with_cluster) as executor:
        short = [Chunk(10**5 + n, 10**5 + n + 1) for n in range(3 * executor.slots)]
        executor.submit([Chunk(0, 10**5), *short])  # the first one takes 1000 s
        arrived: list[Chunk] = []
        deadline = time.monotonic() + 60.0
        while len(arrived) < len(short) and time.monotonic() < deadline:
            arrived += [result.chunk for result in executor.collect(1.0)]
        executor.cancel(JobFailed("the test has seen enough"))
    assert sorted(arrived) == short


@pytest.mark.timing
@pools
def test_waiting_overlaps_on_the_slots_of_a_pool(pool: str, with_cluster: Settings) -> None:
    workload = make_workload("mixed", {"cpu_s": 0.0, "wait_s": 0.1})
    schedule = ScheduleChoice("dynamic", chunk_size=1)
    run = run_once(workload, 0, 20, Model("celery", pool), with_cluster, schedule)
    alone_s = 20 * 0.1
    assert run.elapsed_s < alone_s / run.slots + 1.0
    assert run.busy_s == pytest.approx(alone_s, rel=0.2)


def test_a_result_that_was_not_delivered_is_read(
    with_cluster: Settings, store: redis.Redis
) -> None:
    """Cut the producer's subscription while a chunk runs: its result is stored, but not pushed."""
    job = Job(make_workload("mixed", {"cpu_s": 0.0, "wait_s": 0.5}), 0, 4)
    cut = threading.Timer(0.2, lambda: store.client_kill_filter(_type="pubsub"))
    with make_executor(Model("celery", "threads"), job, with_cluster) as executor:
        cut.start()
        ledger = dispatch(job, executor, Dynamic(size=2))
    assert ledger.value == job.expected()


def test_a_subscription_that_delivers_nothing_is_renewed(with_cluster: Settings) -> None:
    """As when a firewall dropped the connection: it is open, and delivers nothing."""
    job = Job(make_workload("mixed", {"cpu_s": 0.0, "wait_s": 0.1}), 0, 200)
    with make_executor(Model("celery", "threads"), job, with_cluster) as executor:
        assert isinstance(executor, CeleryPool)
        assert isinstance(executor._messages, Messages)
        executor._messages._subscription.punsubscribe()
        ledger = dispatch(job, executor, Dynamic(size=5))
        events = executor.take_events()
    assert ledger.value == job.expected()
    assert any("subscribed again" in event.what for event in events)
    assert not executor.counts["resent"]


def test_a_connection_that_is_lost_while_the_queue_is_declared_is_retried(
    with_cluster: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kombu reconnects by itself at this moment, and then sends on a closed channel."""
    bind, lost = Channel._queue_bind, iter([redis.ConnectionError("lost")])

    def lose_connection_once(channel: Channel, *args: object) -> None:
        for error in lost:
            raise error
        bind(channel, *args)  # type: ignore[no-untyped-call] # kombu's own

    kombu.pools.reset()  # close connections of other tests, which have declared the queue
    monkeypatch.setattr(Channel, "_queue_bind", lose_connection_once)
    run = run_once(make_workload("sum", {}), 0, 1000, Model("celery", "threads"), with_cluster)
    assert run.exact
    assert next(lost, None) is None


def test_workers_that_take_nothing_end_the_run(with_cluster: Settings, store: redis.Redis) -> None:
    """Their process is alive and announces itself, but their consumer is dead."""
    host = HostFacts.collect("nobody")
    since = datetime.now(UTC).isoformat()
    announcer = Announcer(store, Presence("made-up@nobody", "made-up", 1, 1, since, host))
    announcer.start()
    wait_until(lambda: store.exists(presence_key("made-up@nobody")))
    job = Job(make_workload("sum", {}), 0, 10)
    settings = replace(with_cluster, patience_s=2)
    executor = CeleryPool(job, "made-up", None, AUTO, settings)
    with (
        pytest.raises(ClusterError, match="have taken nothing from queue 'made-up' for 2 s"),
        executor,
    ):
        dispatch(job, executor, Dynamic(size=5))
    announcer.stop()
    announcer.join()
    assert store.llen(queue_of("made-up")) == 0


def test_code_that_raises_ends_the_job_with_its_message(
    with_cluster: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(make_workload("sum", {}), 0, 10)
    with make_executor(Model("celery", "threads"), job, with_cluster) as executor:
        monkeypatch.setattr(type(job.workload), "parameters", lambda _: {"kernel": 7})
        executor.submit([Chunk(0, 10)])
        with pytest.raises((ChunkFailed, UsageError), match="7"):
            executor.collect(10.0)


def test_a_foreign_result_is_ignored(with_cluster: Settings, store: redis.Redis) -> None:
    job = Job(make_workload("mixed", {"cpu_s": 0.0, "wait_s": 0.2}), 0, 4)
    forged = results_to_json([ChunkResult(Chunk(0, 4), 10**9, 0.0, 0.0, 0.0, "nowhere", "1.0")])
    with make_executor(Model("celery", "threads"), job, with_cluster) as executor:
        assert isinstance(executor, CeleryPool)
        channel = f"celery-task-meta-{job.id}."
        for task_id, status, result in (
            (f"{job.id}.0-4", "SUCCESS", forged),  # a range that was not sent as one
            (f"{job.id}.0-2", "SUCCESS", forged),  # a chunk that claims to be another
            (f"{job.id}.0-2", "SUCCESS", {"values": ["x"]}),
            (f"{job.id}.0-2", "SUCCESS", [forged]),
            (f"{job.id}.0-2", "SUCCESS", results_to_json([])),
            (f"{job.id}.0-2", "SUCCESS", None),
            (f"{job.id}.2-0", "SUCCESS", {**forged, "ranges": [[2, 0, 2]]}),
        ):
            meta = {"task_id": task_id, "status": status, "result": result, "traceback": None}
            store.publish(channel + "x", json.dumps(meta))
        store.publish(channel + "x", b"\x80\x04not json")
        store.publish(channel + "x", b"[" * 100_000)
        ledger = dispatch(job, executor, Dynamic(size=2))
    assert ledger.value == job.expected()


def test_two_producers_share_a_pool_and_both_are_exact(with_cluster: Settings) -> None:
    runs: dict[str, Run] = {}

    def produce(name: str, stop: int) -> None:
        workload = make_workload("sum", {})
        schedule = ScheduleChoice("dynamic", chunks=50)
        runs[name] = run_once(workload, 0, stop, Model("celery", "threads"), with_cluster, schedule)

    threads = [
        threading.Thread(target=produce, args=(name, stop))
        for name, stop in (("one", 1_000_000), ("two", 700_001))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs["one"].value == sum(range(1_000_000))
    assert runs["two"].value == sum(range(700_001))
    assert all(run.exact for run in runs.values())
