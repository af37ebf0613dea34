"""Names of workers: two machines with the same host name are told apart."""

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from poolrace.producer.broker.workers import present_workers
from poolrace.producer.cluster.state import Cluster
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.runtime.names import RENEWED_S, START_S, Process, reserve_host
from poolrace.workers.runtime.presence import EXPIRE_S, Announcer, Presence, name_key, presence_key
from tests.conftest import wait_until
from tests.faults.faults import additional_worker

if TYPE_CHECKING:
    import redis

POOL = "made-up"
NAME = f"{POOL}@twin"
ELSEWHERE = replace(Process.current(), machine="elsewhere")


@pytest.fixture(autouse=True)
def _no_name_stays(store: "redis.Redis") -> Iterator[None]:
    yield
    store.delete(presence_key(NAME), *(name_key(f"{NAME}{suffix}") for suffix in ("", "-2")))


def reserve_for(store: "redis.Redis", process: Process, expire_s: float) -> None:
    """Reserve the name for another process."""
    store.set(name_key(NAME), json.dumps(process.to_json()), px=round(expire_s * 1000))


def test_a_free_name_is_reserved_as_it_is(store: "redis.Redis") -> None:
    assert reserve_host(store, POOL, "twin") == "twin"
    assert 0 < store.ttl(name_key(NAME)) <= START_S


def test_the_name_of_a_living_worker_gets_a_number(store: "redis.Redis") -> None:
    """Here, on another machine where it starts, and there when it renews the name."""
    reserve_for(store, Process.current(), EXPIRE_S)
    assert reserve_host(store, POOL, "twin") == "twin-2"
    store.delete(name_key(f"{NAME}-2"))
    reserve_for(store, ELSEWHERE, START_S)
    assert reserve_host(store, POOL, "twin") == "twin-2"
    store.delete(name_key(f"{NAME}-2"))
    reserve_for(store, ELSEWHERE, EXPIRE_S)
    renewal = threading.Timer(RENEWED_S / 2, lambda: store.expire(name_key(NAME), EXPIRE_S))
    renewal.start()
    assert reserve_host(store, POOL, "twin") == "twin-2"
    renewal.join()


def test_the_name_of_a_worker_that_ended_is_free(store: "redis.Redis") -> None:
    """Known at once of a process of this machine; of another one since it renews nothing."""
    reserve_for(store, replace(Process.current(), started=1.0), EXPIRE_S)
    assert reserve_host(store, POOL, "twin") == "twin"
    reserve_for(store, ELSEWHERE, EXPIRE_S)
    assert reserve_host(store, POOL, "twin") == "twin"
    assert json.loads(store.get(name_key(NAME)) or "null") == Process.current().to_json()


def test_the_name_of_a_worker_that_reserves_none_gets_a_number(store: "redis.Redis") -> None:
    """As a worker of an older version, which only announces itself."""
    presence = Presence(NAME, POOL, 1, os.getpid(), "2026-01-01", HostFacts.collect("twin"))
    announcer = Announcer(store, presence)
    announcer.start()
    wait_until(lambda: store.exists(presence_key(NAME)))
    assert reserve_host(store, POOL, "twin") == "twin-2"
    announcer.stop()
    announcer.join()


def test_two_workers_with_the_same_host_name_are_two_hosts(
    cluster: Cluster, store: "redis.Redis"
) -> None:
    with additional_worker(cluster, "solo", "twin"), additional_worker(cluster, "solo", "twin"):
        wait_until(lambda: {"twin", "twin-2"} <= {w.host.host for w in present_workers(store)}, 40)
