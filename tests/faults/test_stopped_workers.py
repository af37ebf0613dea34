"""Workers that stop, end or join during a run: each index is still counted once."""

import math
from typing import TYPE_CHECKING

import psutil
import pytest

from poolrace.producer.broker.client import TimedRetry, connect
from poolrace.producer.broker.queues import PoolQueue
from poolrace.producer.broker.workers import SILENT_S, present_workers
from poolrace.producer.cluster.state import Cluster
from poolrace.producer.executors.celery.messages import Messages
from poolrace.producer.jobs.job import Job
from poolrace.producer.settings import Settings
from poolrace.workers.chunks import Chunk
from poolrace.workers.workloads import make_workload
from tests.conftest import PATIENCE_S, held_chunks, wait_until
from tests.faults.faults import Target, additional_worker, end_worker, stopped
from tests.faults.runs import SENT_AGAIN, every_pool, in_the_middle
from tests.run_in_thread import has_event

if TYPE_CHECKING:
    import redis

pytestmark = pytest.mark.timeout(400)


def first_queued_index(client: "redis.Redis", pool: str) -> float:
    """The lowest index in the queue: chunks are sent in order, except those sent again."""
    ranges = (task_id.rpartition(".")[2] for task_id in PoolQueue(client, pool).task_ids())
    return min((int(text.partition("-")[0]) for text in ranges), default=math.inf)


@every_pool
def test_a_run_survives_a_stopped_and_continued_worker(
    pool: str, fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    """No other worker can take its chunks; its late results count once."""
    worker = Target(fault_cluster, pool).worker
    processes = worker, *worker.children(recursive=True)
    # Stopped at once: on a slow machine the run may end soon.
    with in_the_middle(fault_cluster, pool) as progress, stopped(*processes):
        first = first_queued_index(client, pool)
        wait_until(lambda: first_queued_index(client, pool) < first)  # a chunk sent again
        wait_until(lambda: Target(fault_cluster, pool).announcement.age_s > SILENT_S + 1)
    for text in ("stopped responding", SENT_AGAIN):
        assert has_event(progress.run(), text)


@every_pool
def test_a_run_survives_a_warm_shutdown_during_a_chunk(
    pool: str, fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    with in_the_middle(fault_cluster, pool):
        end_worker(Target(fault_cluster, pool))


def test_a_prefork_worker_that_ends_while_a_process_takes_a_chunk_ends_soon(
    broker: Cluster, broker_settings: Settings
) -> None:
    """Its parent discards the chunk before it reads that the process has taken it."""
    job = Job(make_workload("sum", {}), 0, 10)
    with (
        connect(broker.broker_url) as store,
        additional_worker(broker, "prefork", "ending") as worker,
        Messages(job, "prefork", broker_settings, store, TimedRetry(5)) as messages,
    ):
        wait_until(lambda: present_workers(store), 40)
        with stopped(*psutil.Process(worker.pid).children()):
            messages.send([(Chunk(0, 10),)])
            wait_until(lambda: held_chunks(store, "prefork"))
            worker.terminate()
            wait_until(lambda: not held_chunks(store, "prefork"), 40)
        assert worker.wait(timeout=20) == 0  # 32 s with billiard's own limit
        assert messages.receive(5.0)


def test_a_worker_that_joins_a_run_computes_a_share(
    fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    with (
        in_the_middle(fault_cluster, "solo", seconds=4.0, held=True) as progress,
        additional_worker(fault_cluster, "solo", "second"),
    ):
        wait_until(lambda: "second" in {worker.host.host for worker in present_workers(client)})
        progress.go_on.set()
        run = progress.future.result(timeout=PATIENCE_S)
    assert has_event(run, "solo@second joined with 1 slot(s)")
    assert set(run.shares) == {present_workers(client)[0].host.host, "second"}
