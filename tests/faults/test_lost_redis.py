"""Redis loses its data, or has data of an earlier job: the run stays exact."""

from typing import TYPE_CHECKING

import pytest

from poolrace.producer.broker.client import connect
from poolrace.producer.cluster.state import Cluster
from poolrace.producer.executors.models import Model, make_executor
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import ScheduleChoice
from poolrace.producer.settings import Settings
from poolrace.workers.protocol import QUEUE_EXPIRE_S, queue_of
from poolrace.workers.workloads import make_workload
from tests.conftest import wait_until
from tests.faults.faults import Target, flush_redis, kill_redis, swap_databases
from tests.faults.runs import SENT_AGAIN, WAIT_S, every_pool, in_the_middle, lasting_keys, short_run
from tests.run_in_thread import assert_exact, has_event

if TYPE_CHECKING:
    import redis

pytestmark = pytest.mark.timeout(400)


@every_pool
def test_a_run_survives_a_flushed_redis(
    pool: str, fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    with in_the_middle(fault_cluster, pool):
        flush_redis(Target(fault_cluster, pool))


@every_pool
def test_a_run_survives_a_killed_redis_that_starts_empty(
    pool: str, fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    with in_the_middle(fault_cluster, pool) as progress:
        kill_redis(Target(fault_cluster, pool))
    assert has_event(progress.run(), "the connection to Redis was lost and restored")


def test_nothing_lasting_stays_in_a_database_that_was_swapped(
    fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    """No worker sees the chunks that moved with the queue; they expire."""
    with in_the_middle(fault_cluster, "solo") as progress:
        wait_until(lambda: client.llen(queue_of("solo")))
        swap_databases(Target(fault_cluster, "solo"))
    assert has_event(progress.run(), SENT_AGAIN)
    with connect(f"{fault_cluster.broker_url.rpartition('/')[0]}/1") as other:
        assert 0 < other.ttl(queue_of("solo")) <= QUEUE_EXPIRE_S
        assert lasting_keys(other) == set()
        other.flushdb()


def test_messages_lost_by_an_emptied_redis_do_not_count_as_losses_of_a_chunk(
    fault_cluster: Cluster, client: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolrace.producer.executors.celery.recovery.MAX_LOSSES", 1)
    with in_the_middle(fault_cluster, "solo") as progress:
        wait_until(lambda: client.llen(queue_of("solo")))
        flush_redis(Target(fault_cluster, "solo"))
    assert progress.run().resent >= 1


def test_a_run_that_begins_on_an_emptied_redis_waits_for_announcements(
    fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    flush_redis(Target(fault_cluster, "threads"))
    assert_exact(short_run(fault_cluster, "threads"))


def test_messages_of_an_earlier_job_do_no_harm(
    fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    """Workers compute the messages that its killed producer left; no ledger counts the results."""
    job = Job(make_workload("mixed", {"cpu_s": 0.0, "wait_s": WAIT_S}), 0, 100)
    settings = Settings(broker_url=fault_cluster.broker_url)
    executor = make_executor(Model("celery", "solo"), job, settings)
    executor.start()
    executor.submit(list(ScheduleChoice("static", chunks=10).make(100).chunks(0, 100, 1)))
    executor.close()  # as if its process had been killed
    with in_the_middle(fault_cluster, "solo", seconds=1.0):
        pass
