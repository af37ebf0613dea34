"""The worker watch of a run: workers join, stop responding, restart and leave."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from poolrace.producer.broker.workers import SILENT_S, WorkerWatch
from poolrace.producer.results.run import UntimedEvent
from poolrace.workers.errors import ClusterError
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.protocol import PROTOCOL, package_version
from poolrace.workers.runtime.presence import (
    EXPIRE_S,
    INDEX_KEY,
    Announcer,
    Presence,
    Work,
    presence_key,
)
from tests.conftest import wait_until

if TYPE_CHECKING:
    import redis

POOL = "made-up"
"""A pool without real workers: these tests write the announcements."""


@pytest.fixture(autouse=True)
def _no_worker_stays(store: "redis.Redis") -> Iterator[None]:
    yield
    store.delete(*(presence_key(worker(host).name) for host in ("one", "two")))
    store.srem(INDEX_KEY, *(worker(host).name for host in ("one", "two")))


def worker(host: str, since: str = "2026-01-01T00:00:00+00:00") -> Presence:
    return Presence(f"{POOL}@{host}", POOL, 2, 1, since, HostFacts.collect(host))


def announce(
    store: "redis.Redis",
    presence: Presence,
    silent_s: float = 0.0,
    holds: Sequence[str] = (),
    missing: Collection[str] = (),
) -> None:
    """Write an announcement of the worker, made ``silent_s`` seconds ago.

    ``missing`` has fields of the presence that the worker does not know.
    """
    store.sadd(INDEX_KEY, presence.name)
    left_ms = round((EXPIRE_S - silent_s) * 1000)
    known = {name: value for name, value in presence.to_json().items() if name not in missing}
    announcement = {"presence": {**known, "of a later version": []}, "holds": holds}
    store.set(presence_key(presence.name), json.dumps(announcement), px=left_ms)


def test_a_watch_reports_changes_and_counts_slots(store: "redis.Redis") -> None:
    one, two = worker("one"), worker("two")
    announce(store, one)
    watch = WorkerWatch.start(store, POOL, 60)
    assert (watch.slots, watch.update()) == (2, [])
    announce(store, two)
    assert watch.update() == [UntimedEvent(f"{two.name} joined with 2 slot(s)", "joined", "two")]
    assert watch.slots == 4
    announce(store, two, silent_s=SILENT_S + 1)
    assert watch.update() == [UntimedEvent(f"{two.name} stopped responding", "silent", "two")]
    announce(store, two)
    assert watch.update() == [UntimedEvent(f"{two.name} responds again", "reconnected", "two")]
    announce(store, replace(two, since="2026-01-01T00:01:00+00:00"))
    assert watch.update() == [UntimedEvent(f"{two.name} was restarted", "joined", "two")]
    store.delete(presence_key(one.name))
    assert watch.update() == [UntimedEvent(f"{one.name} left", "left", "one")]
    assert watch.slots == 2
    assert {facts.host for facts in watch.hosts} == {"one", "two"}
    store.delete(presence_key(two.name))


def test_a_pool_without_workers_for_too_long_ends_the_run(store: "redis.Redis") -> None:
    with pytest.raises(ClusterError, match=POOL):
        WorkerWatch.start(store, POOL, 60)
    announce(store, worker("one"))
    patient, hasty = WorkerWatch.start(store, POOL, 60), WorkerWatch.start(store, POOL, 0)
    store.delete(presence_key(worker("one").name))
    assert patient.update() == [UntimedEvent(f"{worker('one').name} left", "left", "one")]
    assert patient.slots == 0
    with pytest.raises(ClusterError, match="make scale"):
        hasty.update()


def test_a_watch_knows_the_worker_that_holds_a_chunk(store: "redis.Redis") -> None:
    announce(store, worker("one"), holds=["job.0-5"])
    watch = WorkerWatch.start(store, POOL, 60)
    watch.update()
    holder = watch.holder("job.0-5")
    assert holder is not None
    assert holder.presence == worker("one")
    assert holder.age_s < 5.0
    assert watch.holder("job.5-9") is None
    announce(store, worker("one"), silent_s=5.0, holds=["job.0-5"])
    watch.update()
    holder = watch.holder("job.0-5")
    assert holder is not None
    assert holder.age_s > 4.9
    store.delete(presence_key(worker("one").name))


def test_an_announced_worker_is_present_until_it_leaves(store: "redis.Redis") -> None:
    presence = worker("one")
    announcer = Announcer(store, presence, work=lambda: Work(["job.0-5"]))
    announcer.start()
    wait_until(lambda: store.exists(presence_key(presence.name)))
    watch = WorkerWatch.start(store, POOL, 60)
    announcer.leave()
    wait_until(lambda: watch.update() == [UntimedEvent(f"{presence.name} left", "left", "one")])
    assert watch.slots == 0
    holder = watch.holder("job.0-5")
    assert holder is not None
    assert holder.presence.name == presence.name
    announcer.stop()
    announcer.join(5.0)
    assert not store.exists(presence_key(presence.name))


def test_a_worker_of_another_protocol_is_named_and_gets_no_chunks(store: "redis.Redis") -> None:
    one, two = worker("one"), worker("two")
    announce(store, one)
    announce(store, two, missing=("version", "protocol"))  # as up to 0.2.0
    watch = WorkerWatch.start(store, POOL, 60)
    assert watch.slots == one.slots
    [event] = watch.other_versions()
    assert (event.kind, event.host) == ("", "two")
    assert event.what.startswith(f"{two.name} gets no chunks: it runs poolrace 0.2.0 or older")
    assert watch.update() == []  # named once
    store.delete(presence_key(one.name))
    announce(store, replace(two, protocol=PROTOCOL + 1, version="9.9"))
    with pytest.raises(ClusterError, match=rf"{two.name} gets no chunks: it runs poolrace 9\.9"):
        WorkerWatch.start(store, POOL, 60)


def test_a_worker_of_another_version_with_the_same_protocol_is_named(store: "redis.Redis") -> None:
    announce(store, worker("one"))
    watch = WorkerWatch.start(store, POOL, 60)
    assert watch.other_versions() == []
    announce(store, replace(worker("two"), version="9.9"))
    joined, other_version = watch.update()
    assert joined.kind == "joined"
    assert other_version.what == f"{worker('two').name} runs poolrace 9.9, not {package_version()}"
    assert watch.slots == 4


def test_a_pool_whose_workers_take_no_chunks_names_their_reason(store: "redis.Redis") -> None:
    announce(store, replace(worker("one"), slots=0))
    with pytest.raises(ClusterError) as error:
        WorkerWatch.start(store, POOL, 60)
    present, reason = str(error.value).partition("(")[2].partition(")")[0].split("; ")
    assert POOL not in present
    assert reason == f"{worker('one').name} is stopping"


@pytest.mark.parametrize("text", ["{", "[]", '{"presence": {}, "holds": []}'])
def test_a_malformed_announcement_is_ignored(
    text: str, store: "redis.Redis", caplog: pytest.LogCaptureFixture
) -> None:
    announce(store, worker("one"))
    store.sadd(INDEX_KEY, worker("two").name)
    store.set(presence_key(worker("two").name), text, px=5000)
    assert WorkerWatch.start(store, POOL, 60).slots == 2
    assert f"ignored the value of key {presence_key(worker('two').name)}" in caplog.text


def test_the_holder_of_a_chunk_is_the_worker_that_announced_it_last(
    store: "redis.Redis",
) -> None:
    """The earlier worker may be dead, and its copy of the chunk lost."""
    announce(store, worker("one"), holds=["job.0-1"])
    announce(store, worker("two"), silent_s=3.0, holds=["job.0-1"])
    watch = WorkerWatch.start(store, POOL, 60)
    watch.update()
    holder = watch.holder("job.0-1")
    assert holder is not None
    assert holder.presence.name == worker("one").name
