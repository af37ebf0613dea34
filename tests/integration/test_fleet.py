"""Who works on a run: workers that join, fall silent, come back, start again and leave."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from producer.cluster.local import Cluster
from producer.connection import connect
from producer.fleet import GONE_S, SILENT_S, FleetWatch
from tests.conftest import wait_until
from workers.errors import ClusterError
from workers.hosts import HostFacts
from workers.presence import EXPIRE_S, INDEX_KEY, Announcer, Presence, presence_key

if TYPE_CHECKING:
    import redis

POOL = "made-up"
"""A pool of no real workers: these tests say who is there."""


@pytest.fixture
def store(cluster: Cluster) -> Iterator["redis.Redis"]:
    with connect(cluster.broker_url) as client:
        yield client
        client.srem(INDEX_KEY, *(worker(host).name for host in ("one", "two")))


def worker(host: str, since: str = "2026-01-01T00:00:00+00:00") -> Presence:
    return Presence(f"{POOL}@{host}", POOL, 2, 1, since, HostFacts.collect(host))


def appear(store: "redis.Redis", presence: Presence, silent_s: float = 0.0) -> None:
    """As if that worker had given its last sign so long ago."""
    store.sadd(INDEX_KEY, presence.name)
    left_ms = round((EXPIRE_S - silent_s) * 1000)
    store.set(presence_key(presence.name), json.dumps(presence.to_json()), px=left_ms)


def test_a_watch_tells_what_changed_and_counts_slots(store: "redis.Redis") -> None:
    one, two = worker("one"), worker("two")
    appear(store, one)
    watch = FleetWatch(store, POOL)
    assert (watch.slots, watch.look()) == (2, [])
    appear(store, two)
    assert watch.look() == [f"{two.name} joined with 2 slot(s)"]
    assert watch.slots == 4
    appear(store, two, silent_s=SILENT_S + 1)
    assert watch.look() == [f"{two.name} fell silent"]
    appear(store, two)
    assert watch.look() == [f"{two.name} is heard again"]
    appear(store, replace(two, since="2026-01-01T00:01:00+00:00"))
    assert watch.look() == [f"{two.name} was started again"]
    store.delete(presence_key(one.name))
    assert watch.look() == [f"{one.name} left"]
    assert watch.slots == 2
    assert {facts.host for facts in watch.hosts} == {"one", "two"}
    store.delete(presence_key(two.name))


def test_a_pool_without_anybody_for_long_ends_the_run(
    store: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ClusterError, match=POOL):
        FleetWatch(store, POOL)
    appear(store, worker("one"))
    watch = FleetWatch(store, POOL)
    store.delete(presence_key(worker("one").name))
    assert watch.look() == [f"{worker('one').name} left"]
    assert watch.slots == 0
    monkeypatch.setattr("producer.fleet.GONE_S", GONE_S - GONE_S)
    with pytest.raises(ClusterError, match="make scale"):
        watch.look()


def test_an_announced_worker_is_there_until_it_withdraws(store: "redis.Redis") -> None:
    presence = worker("one")
    announcer = Announcer(store, presence)
    announcer.start()
    wait_until(lambda: store.exists(presence_key(presence.name)))
    watch = FleetWatch(store, POOL)
    announcer.withdraw()
    wait_until(lambda: watch.look() == [f"{presence.name} left"])
