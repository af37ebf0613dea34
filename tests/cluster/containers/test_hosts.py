"""Every pool in containers, through pytest-celery: exact on one host and on two.

A run stays exact if a host fails, and records the event.
"""

import pytest
from pytest_celery import CeleryTestSetup

from poolrace.producer.jobs.schedules import ScheduleChoice
from poolrace.producer.results.run import Run
from poolrace.workers.pools import POOLS
from poolrace.workers.workloads import WORKLOADS, make_workload
from tests.cluster.conftest import docker
from tests.cluster.containers.runs import (
    SLOTS,
    host_of,
    hosts_of,
    in_the_middle,
    name_of,
    pool_of,
    run_on,
    wait_until_silent,
)
from tests.run_in_thread import assert_exact, has_event

SHORT = {"sum": 300_000, "factorial": 40, "minimum": 20_000, "mixed": 60}
"""Number of indices of each workload; they take one or two seconds on one slot."""

PARAMETERS: dict[str, dict[str, float]] = {"factorial": {"wait_s": 0.001}}

THREE_SECONDS = 80_000_000
"""Indices of ``sum`` that one slot adds in about three seconds."""

CLOCK = ("python", "-c", "import time; print(int(time.time()))")

pytestmark = pytest.mark.timeout(400)


def test_every_pool_computes_every_workload_exactly(celery_setup: CeleryTestSetup) -> None:
    for pool in POOLS:
        for name in WORKLOADS:
            workload = make_workload(name, PARAMETERS.get(name, {}))
            run = run_on(celery_setup, pool, workload, SHORT[name])
            assert_exact(run)
            assert set(run.shares) == {f"{pool}-1"}


@hosts_of(*POOLS)
def test_two_hosts_share_a_job_that_stays_exact_when_one_is_killed(
    celery_setup: CeleryTestSetup,
) -> None:
    killed, survivor = celery_setup.worker_cluster
    with in_the_middle(celery_setup, seconds=8) as progress:
        killed.kill()
    run = progress.run()
    assert_exact(run)
    assert run.hosts == 2
    assert set(run.shares) == {host_of(killed), host_of(survivor)}
    assert has_event(run, f"{name_of(killed)} stopped responding")


@hosts_of("threads", "solo")
def test_a_run_stays_exact_when_redis_restarts_with_its_data(celery_setup: CeleryTestSetup) -> None:
    with in_the_middle(celery_setup, seconds=8) as progress:
        docker("restart", celery_setup.broker.container.id, celery_setup.backend.container.id)
    run = progress.run()
    assert_exact(run)
    assert has_event(run, "the connection to Redis was lost and restored")


@hosts_of("threads")
def test_a_paused_host_stops_responding_and_comes_back(celery_setup: CeleryTestSetup) -> None:
    paused, _ = celery_setup.worker_cluster
    with in_the_middle(celery_setup, seconds=12) as progress:
        docker("pause", paused.container.id)
        wait_until_silent(celery_setup, paused, for_s=6.0)
        docker("unpause", paused.container.id)
    run = progress.run()
    assert_exact(run)
    assert has_event(run, f"{name_of(paused)} stopped responding")
    assert has_event(run, f"{name_of(paused)} responds again")


@hosts_of("prefork", "solo")
def test_a_host_with_a_tenth_of_a_cpu_does_not_delay_the_other(
    celery_setup: CeleryTestSetup,
) -> None:
    """Its first chunk takes longer than all other chunks: idle slots compute it, too."""
    slow, fast = celery_setup.worker_cluster
    docker("update", "--cpus", "0.1", slow.container.id)
    pool = pool_of(celery_setup)
    schedule = ScheduleChoice("dynamic", chunk_size=THREE_SECONDS)
    stop = 6 * SLOTS[pool] * THREE_SECONDS
    run = run_on(celery_setup, pool, make_workload("sum", {}), stop, schedule)
    assert_exact(run)
    assert run.backups >= 1
    assert has_event(run, "were sent to idle slots")
    assert _indices(run, host_of(fast)) > 3 * _indices(run, host_of(slow))


@pytest.mark.parametrize("hosts", [(f"{pool}_1", f"{pool}_ahead") for pool in POOLS], ids=POOLS)
def test_a_host_whose_clock_is_an_hour_ahead_works_like_the_other(
    celery_setup: CeleryTestSetup,
) -> None:
    right, ahead = celery_setup.worker_cluster
    clocks = [int(docker("exec", worker.container.id, *CLOCK)) for worker in (right, ahead)]
    assert 3590 < clocks[1] - clocks[0] < 3610
    with in_the_middle(celery_setup, 4, make_workload("sum", {}), 4_000_000, 1_000_000) as progress:
        pass
    run = progress.run()
    assert_exact(run)
    assert set(run.shares) == {host_of(right), host_of(ahead)}
    assert run.resent < run.chunks / 4
    assert all(0 <= record.arrived_s <= run.elapsed_s for record in run.records)


def _indices(run: Run, host: str) -> int:
    return sum(share.indices for share in run.shares.get(host, {}).values())
