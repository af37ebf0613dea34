"""Redis does not answer or refuses writes for a while: the run waits and stays exact."""

from typing import TYPE_CHECKING

import pytest

from poolrace.producer.cluster.state import Cluster
from tests.faults.faults import Target, fill_redis, pause_redis, stop_redis
from tests.faults.runs import every_pool, in_the_middle

if TYPE_CHECKING:
    import redis

pytestmark = pytest.mark.timeout(400)


def test_a_run_survives_a_minute_without_redis_while_chunks_end(
    fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    """A minute is longer than the retries of Celery's result backend."""
    with in_the_middle(fault_cluster, "threads"):
        stop_redis(Target(fault_cluster, "threads", seconds=60.0))


@pytest.mark.parametrize("pool", ["gevent"])
def test_a_run_survives_redis_paused_for_ten_seconds(
    pool: str, fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    with in_the_middle(fault_cluster, pool):
        pause_redis(Target(fault_cluster, pool, seconds=10.0))


@pytest.mark.parametrize("pool", ["prefork"])
def test_a_run_survives_redis_stopped_for_ten_seconds(
    pool: str, fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    with in_the_middle(fault_cluster, pool):
        stop_redis(Target(fault_cluster, pool, seconds=10.0))


@every_pool
def test_a_run_waits_while_redis_is_full(
    pool: str, fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    """Workers keep the results of chunks that end meanwhile, until Redis takes them."""
    with in_the_middle(fault_cluster, pool) as progress:
        fill_redis(Target(fault_cluster, pool, seconds=6.0))
    assert not progress.run().retries
