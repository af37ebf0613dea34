"""Fixtures of the fault tests: a cluster that recovers, and a client of its Redis."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from poolrace.producer.broker.client import connect
from poolrace.producer.cluster.lifecycle import temporary
from poolrace.producer.cluster.state import Cluster
from poolrace.producer.settings import Settings
from poolrace.workers.workloads import WORKLOADS
from tests.conftest import wait_until
from tests.faults.faulty import Faulty
from tests.faults.faulty_worker import FaultyWorkers
from tests.faults.runs import SLOTS, assert_clean

if TYPE_CHECKING:
    import redis


@pytest.fixture(scope="session")
def fault_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster for faults, separate from that of other tests; its supervisor restarts programs."""
    with temporary(Settings(state_dir=tmp_path_factory.mktemp("fault_cluster")), SLOTS) as running:
        yield running


@pytest.fixture
def client(fault_cluster: Cluster) -> Iterator["redis.Redis"]:
    """A client; the cluster is complete before the test, and without leftovers after it."""
    wait_until(lambda: not fault_cluster.broken_parts())
    with connect(fault_cluster.broker_url) as opened:
        yield opened
        wait_until(lambda: not fault_cluster.broken_parts())
        with connect(fault_cluster.broker_url) as afterwards:
            assert_clean(afterwards)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Redis without workers."""
    with temporary(Settings(state_dir=tmp_path_factory.mktemp("state")), {}) as running:
        yield running


@pytest.fixture(scope="module")
def faulty_workers(broker: Cluster) -> Iterator[FaultyWorkers]:
    """Workers on that Redis that have the faulty workload; a test starts that of its pool."""
    with FaultyWorkers(broker) as workers:
        yield workers


@pytest.fixture
def faulty_workload(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the faulty workload to the registry of this process."""
    monkeypatch.setitem(WORKLOADS, Faulty.name, Faulty)


@pytest.fixture
def broker_settings(broker: Cluster) -> Settings:
    """Settings of a producer on that Redis."""
    return Settings(broker_url=broker.broker_url)
