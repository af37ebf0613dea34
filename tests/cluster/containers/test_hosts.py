"""Every pool as containers, through pytest-celery: exact with one host and two, and whatever
happens to one of them. The run tells what that was."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis
from pytest_celery import CeleryTestSetup, CeleryTestWorker

from producer.dispatch import Observer
from producer.executors import Model, make_executor
from producer.jobs import Job
from producer.measure import measure
from producer.results import Run
from producer.schedules import AUTO, ScheduleChoice
from tests.cluster.conftest import docker
from tests.conftest import wait_until
from tests.during import Progress, assert_whole, during, happened
from workers.pools import POOLS
from workers.presence import EXPIRE_S, presence_key
from workers.settings import Settings
from workers.workloads import WORKLOADS, Workload, make_workload

SHORT = {"sum": 300_000, "factorial": 40, "minimum": 20_000, "mixed": 60}
"""How far each workload is computed; a second or two on one slot."""

PARAMETERS: dict[str, dict[str, float]] = {"factorial": {"wait_s": 0.001}}

WAIT_S = 0.05
CHUNK = 5
"""Indices of a chunk in the runs that something happens to: a quarter of a second."""


def hosts_of(*pools: str) -> pytest.MarkDecorator:
    """A test with two hosts of a pool, once for each of these pools."""
    pairs = [(f"{pool}_1", f"{pool}_2") for pool in pools]
    return pytest.mark.parametrize("hosts", pairs, ids=pools)


def settings_of(setup: CeleryTestSetup) -> Settings:
    """Settings of a producer on this machine."""
    return Settings(
        broker_url=setup.broker.config()["host_url"],
        result_backend=setup.backend.config()["host_url"],
    )


def run_on(
    setup: CeleryTestSetup,
    pool: str,
    workload: Workload,
    stop: int,
    schedule: ScheduleChoice = AUTO,
    observer: Observer = lambda ledger, result: None,
) -> Run:
    """One measured run, as ``producer run`` makes it."""
    job = Job(workload, 0, stop)
    executor = make_executor(Model("celery", pool), job, settings_of(setup))
    return measure(
        job, executor, schedule.make(len(job)), expected=job.expected(), observer=observer
    )


@contextmanager
def in_the_middle(setup: CeleryTestSetup, seconds: float) -> Iterator[Progress]:
    """A run of about so many seconds; the block begins when a quarter of it is done."""
    names = [worker.container.attrs["Config"]["Hostname"] for worker in setup.worker_cluster]
    pool = names[0].partition("-")[0]
    slots = {"prefork": 2, "threads": 2, "gevent": 4, "solo": 1}[pool] * len(names)
    workload = make_workload("mixed", {"cpu_s": 0, "wait_s": WAIT_S})
    schedule = ScheduleChoice("dynamic", chunk_size=CHUNK)

    def run(observer: Observer) -> Run:
        stop = round(slots * seconds / WAIT_S)
        return run_on(setup, pool, workload, stop, schedule, observer)

    with during(run) as progress:
        yield progress


def name_of(worker: CeleryTestWorker) -> str:
    host: str = worker.container.attrs["Config"]["Hostname"]
    return f"{host.partition('-')[0]}@{host}"


def test_every_pool_computes_every_workload_exactly(celery_setup: CeleryTestSetup) -> None:
    for pool in POOLS:
        for name in WORKLOADS:
            workload = make_workload(name, PARAMETERS.get(name, {}))
            run = run_on(celery_setup, pool, workload, SHORT[name])
            assert_whole(run)
            assert set(run.shares) == {f"{pool}-1"}


@hosts_of(*POOLS)
@pytest.mark.timeout(180)
def test_two_hosts_share_a_job_and_one_killed_in_the_middle_loses_nothing(
    celery_setup: CeleryTestSetup,
) -> None:
    killed, survivor = celery_setup.worker_cluster
    with in_the_middle(celery_setup, seconds=8) as progress:
        killed.kill()
    run = progress.run()
    assert_whole(run)
    assert run.hosts == 2
    assert set(run.shares) == {name_of(killed).split("@")[1], name_of(survivor).split("@")[1]}
    assert happened(run, f"{name_of(killed)} fell silent")


@hosts_of("prefork", "gevent")
@pytest.mark.timeout(180)
def test_a_host_cut_off_the_network_for_a_while_comes_back(
    celery_setup: CeleryTestSetup,
) -> None:
    cut, _ = celery_setup.worker_cluster
    [network] = cut.container.attrs["NetworkSettings"]["Networks"]
    with in_the_middle(celery_setup, seconds=16) as progress:
        docker("network", "disconnect", network, cut.container.id)
        _wait_until_silent(celery_setup, name_of(cut), for_s=5.0)
        docker("network", "connect", network, cut.container.id)
    run = progress.run()
    assert_whole(run)
    assert happened(run, f"{name_of(cut)} fell silent")
    assert happened(run, f"{name_of(cut)} is heard again") or happened(
        run, f"{name_of(cut)} was started again"
    )


@hosts_of("threads", "solo")
@pytest.mark.timeout(180)
def test_redis_restarted_with_its_data_loses_nothing(celery_setup: CeleryTestSetup) -> None:
    with in_the_middle(celery_setup, seconds=8) as progress:
        docker("restart", celery_setup.broker.container.id, celery_setup.backend.container.id)
    run = progress.run()
    assert_whole(run)
    assert happened(run, "the connection to Redis was lost and made again")


@pytest.mark.parametrize("hosts", [("threads_1", "threads_2")])
def test_a_paused_host_is_missed_and_goes_on(celery_setup: CeleryTestSetup) -> None:
    paused, _ = celery_setup.worker_cluster
    with in_the_middle(celery_setup, seconds=12) as progress:
        docker("pause", paused.container.id)
        _wait_until_silent(celery_setup, name_of(paused), for_s=6.0)
        docker("unpause", paused.container.id)
    run = progress.run()
    assert_whole(run)
    assert happened(run, f"{name_of(paused)} fell silent")
    assert happened(run, f"{name_of(paused)} is heard again")


def _wait_until_silent(setup: CeleryTestSetup, name: str, for_s: float) -> None:
    """Until the worker has given no sign for so long: its key expires unless refreshed."""
    with redis.Redis.from_url(setup.broker.config()["host_url"]) as client:
        wait_until(lambda: _left_ms(client, name) < (EXPIRE_S - for_s) * 1000, 30)


def _left_ms(client: "redis.Redis", name: str) -> int:
    left = client.pttl(presence_key(name))
    assert isinstance(left, int)
    return left
