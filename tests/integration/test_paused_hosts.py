"""Paused hosts: they take no chunks while they are paused, and always resume."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from poolrace.producer.broker.client import connect
from poolrace.producer.broker.pause import PAUSE_S, PoolHosts
from poolrace.producer.broker.workers import present_workers
from poolrace.producer.cluster.lifecycle import temporary
from poolrace.producer.cluster.state import Cluster
from poolrace.producer.executors.models import Model
from poolrace.producer.jobs.schedules import ScheduleChoice
from poolrace.producer.settings import Settings
from poolrace.workers.errors import ClusterError
from poolrace.workers.pools import POOLS
from poolrace.workers.runtime.presence import pause_key
from poolrace.workers.workloads import make_workload
from tests.conftest import PATIENCE_S, CommandLine, run_once, wait_until

ONE_BY_ONE = ScheduleChoice("dynamic", chunk_size=1)

pools = pytest.mark.parametrize("pool", POOLS)


@pytest.fixture(scope="module")
def two_hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with two workers of each pool, under the names of two hosts."""
    settings = Settings(state_dir=tmp_path_factory.mktemp("state"))
    with temporary(settings, dict.fromkeys(POOLS, 1), hosts=2) as running:
        yield running


@pytest.fixture
def on_two_hosts(two_hosts: Cluster, settings: Settings) -> Settings:
    return replace(settings, broker_url=two_hosts.broker_url)


@pytest.fixture
def client(two_hosts: Cluster) -> Iterator[redis.Redis]:
    with connect(two_hosts.broker_url) as client:
        yield client


@pytest.fixture
def producer_on_two_hosts(tmp_path: Path, two_hosts: Cluster) -> Iterator[CommandLine]:
    with CommandLine(tmp_path, {"CELERY_BROKER_URL": two_hosts.broker_url}) as command_line:
        yield command_line


def working_hosts(client: redis.Redis, pool: str) -> set[str]:
    return {worker.host.host for worker in present_workers(client) if worker.pool == pool}


def hosts_of_a_run(pool: str, settings: Settings) -> set[str]:
    """Hosts that took part in a run; on a busy machine one of two working hosts may be too late."""
    workload = make_workload("mixed", {"cpu_s": 0.0, "wait_s": 0.02})
    run = run_once(workload, 0, 30, Model("celery", pool), settings, ONE_BY_ONE)
    assert run.exact
    assert not run.resent
    return set(run.shares)


@pools
def test_a_paused_host_takes_no_chunks_and_works_again_afterwards(
    pool: str, on_two_hosts: Settings, client: redis.Redis
) -> None:
    hosts = PoolHosts.find(on_two_hosts, pool)
    assert [worker.host.host for worker in hosts.workers] == ["host-1", "host-2"]
    with hosts.only(1):
        assert working_hosts(client, pool) == {"host-1"}
        assert hosts_of_a_run(pool, on_two_hosts) == {"host-1"}
    with hosts.only(2):
        wait_until(lambda: hosts_of_a_run(pool, on_two_hosts) == {"host-1", "host-2"})


@pools
def test_a_killed_producer_leaves_no_host_paused(
    pool: str, producer_on_two_hosts: CommandLine, client: redis.Redis
) -> None:
    process = producer_on_two_hosts.start(
        "scale", "mixed", "--stop", "1e5", "--pool", pool, "--hosts", "1,2"
    )
    wait_until(lambda: client.exists(pause_key(f"{pool}@host-2")))
    wait_until(lambda: working_hosts(client, pool) == {"host-1"})
    process.kill()
    process.communicate()
    wait_until(lambda: working_hosts(client, pool) == {"host-1", "host-2"})
    assert not client.exists(pause_key(f"{pool}@host-2"))


def test_an_interrupted_producer_resumes_paused_hosts(
    producer_on_two_hosts: CommandLine, client: redis.Redis
) -> None:
    wait_until(lambda: not client.exists(pause_key("threads@host-2")))  # of an earlier test
    process = producer_on_two_hosts.start(
        "scale", "mixed", "--stop", "1e5", "--pool", "threads", "--hosts", "1,2"
    )
    wait_until(lambda: client.exists(pause_key("threads@host-2")))
    wait_until(lambda: working_hosts(client, "threads") == {"host-1"})
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "interrupted" in err
    assert not client.exists(pause_key("threads@host-2"))
    wait_until(lambda: working_hosts(client, "threads") == {"host-1", "host-2"})


def test_a_producer_waits_for_hosts_that_another_one_paused(
    on_two_hosts: Settings, client: redis.Redis
) -> None:
    """As after a killed producer, whose pause expires after some seconds."""
    client.set(pause_key("threads@host-2"), 1, ex=PAUSE_S)
    wait_until(lambda: working_hosts(client, "threads") == {"host-1"})
    client.set(pause_key("threads@host-2"), 1, ex=PAUSE_S)
    with PoolHosts.find(on_two_hosts, "threads").only(2):
        assert working_hosts(client, "threads") == {"host-1", "host-2"}


@pools
def test_a_host_stays_paused_when_its_connections_are_cut_and_resumes_later(
    pool: str, on_two_hosts: Settings, client: redis.Redis
) -> None:
    hosts = PoolHosts.find(on_two_hosts, pool)
    with hosts.only(1):
        client.client_kill_filter(_type="normal", skipme=True)
        assert hosts_of_a_run(pool, on_two_hosts) == {"host-1"}
    with hosts.only(2):
        wait_until(lambda: hosts_of_a_run(pool, on_two_hosts) == {"host-1", "host-2"})


def test_a_pool_without_workers_has_no_hosts(on_two_hosts: Settings) -> None:
    with pytest.raises(ClusterError, match="no worker consumes the queue of pool 'made-up'"):
        PoolHosts.find(on_two_hosts, "made-up")
