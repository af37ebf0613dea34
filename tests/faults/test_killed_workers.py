"""Killed workers: the value stays exact, the run continues, and it records the events."""

import os
import sys
import threading
from typing import TYPE_CHECKING, Literal

import psutil
import pytest

from poolrace.producer.cluster.state import Cluster
from poolrace.producer.results.run import Run
from tests.conftest import wait_until
from tests.faults.faults import Target, kill_child_with_chunk, kill_worker
from tests.faults.runs import SENT_AGAIN, every_pool, in_the_middle, short_run
from tests.run_in_thread import assert_exact, has_event

if TYPE_CHECKING:
    import redis

pytestmark = pytest.mark.timeout(400)


def assert_marked(run: Run, mark: Literal["resent", "retried", "backup"]) -> None:
    """Assert that an event and the records of the chunks tell that chunks were sent again."""
    assert mark in {event.kind for event in run.events}
    marked = [record for record in run.records if record.mark == mark]
    assert marked
    for record in marked:
        assert record.sent_s is not None
        assert record.sent_s <= record.arrived_s - record.duration_s + 0.005


@every_pool
def test_a_run_survives_a_killed_worker(
    pool: str, fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    """The only worker of its pool; the supervisor starts a new one seconds later."""
    with in_the_middle(fault_cluster, pool) as progress:
        kill_worker(Target(fault_cluster, pool))
    assert has_event(progress.run(), SENT_AGAIN)
    assert progress.run().resent >= 1
    assert_marked(progress.run(), "resent")


def test_a_run_survives_a_killed_prefork_child(
    fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    with in_the_middle(fault_cluster, "prefork") as progress:
        kill_child_with_chunk(Target(fault_cluster, "prefork"))
    run = progress.run()
    if run.retries:
        assert has_event(run, "failed with WorkerLostError, attempt 2 follows")
        assert_marked(run, "retried")
    else:  # the last chunk of the run: its backup ended before Celery reported the lost process
        assert run.backups
        assert_marked(run, "backup")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux divides cores by sessions")
def test_slots_of_prefork_have_sessions_of_their_own_and_end_with_their_worker(
    fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    target = Target(fault_cluster, "prefork")
    worker = target.worker
    slots = worker.children()
    assert slots
    assert [os.getsid(slot.pid) for slot in slots] == [slot.pid for slot in slots]
    for slot in slots:
        slot.suspend()  # so that the end of the worker's pipe does not end it
    kill_worker(target)
    assert not psutil.wait_procs(slots, timeout=10)[1]
    wait_until(lambda: target.pids not in ([], [worker.pid]))  # for the next test


@every_pool
def test_a_message_is_not_lost_with_a_worker_killed_right_after_brpop(
    pool: str, fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    """Redis delivers messages to the pending BRPOP of a stopped worker, which is killed then."""
    worker = Target(fault_cluster, pool).worker
    worker.suspend()
    killer = threading.Timer(1.0, worker.kill)
    killer.start()
    run = short_run(fault_cluster, pool)
    killer.join()
    assert_exact(run)


def test_two_jobs_on_a_pool_survive_a_killed_worker(
    fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    with (
        in_the_middle(fault_cluster, "threads") as first,
        in_the_middle(fault_cluster, "threads") as second,
    ):
        kill_worker(Target(fault_cluster, "threads"))
    assert first.run().job != second.run().job
