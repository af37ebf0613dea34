"""Lost and slow connections to Redis: the run stays exact."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from poolrace.producer.broker.workers import present_workers
from poolrace.producer.cluster.state import Cluster
from poolrace.workers.protocol import queue_of
from tests.conftest import held_chunks, wait_until
from tests.faults.faults import (
    Target,
    additional_worker,
    cut_connections,
    cut_connections_repeatedly,
    fill_redis_repeatedly,
)
from tests.faults.runs import SLOTS, every_pool, in_the_middle, run_on
from tests.faults.slow_link import slow_link
from tests.run_in_thread import assert_exact, run_in_thread

if TYPE_CHECKING:
    import redis

pytestmark = pytest.mark.timeout(400)


@every_pool
def test_a_run_survives_the_loss_of_all_connections(
    pool: str, fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    with in_the_middle(fault_cluster, pool):
        cut_connections(Target(fault_cluster, pool))


@pytest.mark.parametrize(
    ("pool", "fault"),
    [("prefork", fill_redis_repeatedly), ("gevent", cut_connections_repeatedly)],
    ids=["full", "cut"],
)
def test_a_run_survives_faults_while_it_sends(
    pool: str, fault: Callable[[Target], None], fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    """Thousands of chunks that take no time: the producer sends and receives all the time."""
    with run_in_thread(
        lambda observer: run_on(fault_cluster, pool, 60_000, observer, 0.0), 0.02
    ) as progress:
        fault(Target(fault_cluster, pool))
    assert_exact(progress.run())


def test_a_chunk_longer_than_an_announcement_and_a_connection_runs_once(
    fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    with run_in_thread(
        lambda observer: run_on(fault_cluster, "threads", 20, observer, 1.2), 0.0
    ) as progress:
        wait_until(lambda: len(held_chunks(client, "threads")) == SLOTS["threads"])
        cut_connections(Target(fault_cluster, "threads"))
        wait_until(lambda: progress.future.done() or client.llen(queue_of("threads")))
        assert client.llen(queue_of("threads")) == 0
    assert_exact(progress.run())
    assert (progress.run().resent, progress.run().duplicates) == (0, 0)


@pytest.mark.parametrize("pool", ["threads", "gevent"])
def test_a_host_behind_a_slow_link_computes_a_share(
    pool: str, fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    """A tenth of a second in each direction: messages in transit do not count as lost."""
    with (
        slow_link(fault_cluster.broker_url, delay_s=0.1) as url,
        additional_worker(fault_cluster, pool, "far", url),
    ):
        wait_until(lambda: sum(worker.pool == pool for worker in present_workers(client)) == 2)
        run = run_on(fault_cluster, pool, 2 * SLOTS[pool] * 200)
    assert_exact(run)
    assert "far" in run.shares
    assert run.resent < run.chunks / 20
