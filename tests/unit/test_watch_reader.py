"""The reader of the live view: rates, states and Redis commands, with a Redis that is made up."""

import json
from dataclasses import replace
from typing import Any

import pytest
import redis

from poolrace.producer.broker.workers import SILENT_S
from poolrace.producer.watch.reader import Reader
from poolrace.producer.watch.snapshot import WorkerState
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.protocol import PROTOCOL
from poolrace.workers.runtime.presence import EXPIRE_S, Presence

PRESENCE = Presence("threads@a", "threads", 4, 1, "", HostFacts.collect("a"), "1.0", PROTOCOL)
OLD = {**PRESENCE.to_json(), "protocol": 1, "version": "0.1.0"}


class MadeUpRedis:
    """Answers the commands of a reader with one worker's announcement, and counts them."""

    def __init__(self) -> None:
        self.now = 100.0
        self.announced_at = 100.0
        self.announcement: dict[str, Any] = {"presence": PRESENCE.to_json(), "holds": []}
        self.error: redis.RedisError | None = None
        self.commands: list[str] = []

    def announce(self, **fields: Any) -> None:
        """Announce the worker one second later."""
        self.now += 1
        self.announced_at = self.now
        self.announcement |= fields

    def pipeline(self, *, transaction: bool) -> "MadeUpPipeline":
        assert not transaction
        return MadeUpPipeline(self)


class MadeUpPipeline:
    """A pipeline of ``MadeUpRedis``."""

    def __init__(self, server: MadeUpRedis) -> None:
        self._server = server
        self._replies: list[Any] = []

    def __enter__(self) -> "MadeUpPipeline":
        return self

    def __exit__(self, *_: object) -> None:
        return

    def __len__(self) -> int:
        return len(self._replies)

    def _reply(self, command: str, reply: Any) -> None:
        self._server.commands.append(command)
        self._replies.append(reply)

    def smembers(self, key: str) -> None:
        self._reply("SMEMBERS", {b"threads@a"} if key == "poolrace:workers" else set())

    def info(self, _: str) -> None:
        self._reply("INFO", {"used_memory": 2**20})

    def llen(self, _: str) -> None:
        self._reply("LLEN", 3)

    def mget(self, keys: list[str]) -> None:
        is_worker = any("worker:" in key for key in keys)
        self._reply("MGET", [None, json.dumps(self._server.announcement)] if is_worker else [None])

    def pttl(self, _: str) -> None:
        age_s = self._server.now - self._server.announced_at
        self._reply("PTTL", 1000 * (EXPIRE_S - age_s))

    def execute(self) -> list[Any]:
        if self._server.error:
            raise self._server.error
        return self._replies


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> MadeUpRedis:
    made_up = MadeUpRedis()
    monkeypatch.setattr("time.monotonic", lambda: made_up.now)
    return made_up


@pytest.fixture
def reader(server: MadeUpRedis) -> Reader:
    client: Any = server
    return Reader(client, "redis://:secret@127.0.0.1:1/0")


def worker(reader: Reader) -> WorkerState:
    (found,) = reader.read().workers
    return found


def test_an_announcement_that_is_read_twice_keeps_its_rate(
    server: MadeUpRedis, reader: Reader
) -> None:
    rates = []
    for begun in (10, 30, 30, 90):
        server.announce(chunks_begun=begun)
        for _ in range(3):
            rates.append(worker(reader).chunks_per_s)
            server.now += 0.1
    assert rates[:3] == [None] * 3
    assert rates[3:] == pytest.approx([20 / 1.3] * 3 + [0.0] * 3 + [60 / 1.3] * 3)


def test_a_worker_that_was_started_again_has_no_rate_yet(
    server: MadeUpRedis, reader: Reader
) -> None:
    for begun in (10, 30, 5):
        server.announce(chunks_begun=begun)
        rate = worker(reader).chunks_per_s
    assert rate is None


def test_the_slots_are_those_that_the_worker_announces(server: MadeUpRedis, reader: Reader) -> None:
    server.announce(holds=["x", "y", "z"], working={"1.10": "x", "1.2": "y"}, chunks_begun=2)
    found = worker(reader)
    assert (found.busy, found.waiting) == (2, 1)
    assert found.working == (("1.2", "y"), ("1.10", "x"))


def test_a_worker_of_an_older_version_has_batches_but_neither_slots_nor_rate(
    server: MadeUpRedis, reader: Reader
) -> None:
    for _ in range(3):
        server.announce(holds=["x"])
        found = worker(reader)
    assert (found.busy, found.working, found.chunks_per_s) == (1, None, None)


@pytest.mark.parametrize(
    ("fields", "age_s", "state"),
    [
        ({}, 0, "present"),
        ({"paused": True}, 0, "paused"),
        ({"presence": replace(PRESENCE, slots=0).to_json()}, 0, "stopping"),
        ({"paused": True}, SILENT_S + 1, "silent"),
        ({"presence": OLD}, 0, "incompatible"),
    ],
)
def test_the_state_of_a_worker(
    server: MadeUpRedis, reader: Reader, fields: dict[str, Any], age_s: float, state: str
) -> None:
    server.announce(**fields)
    server.now += age_s
    assert worker(reader).state == state


def test_a_frame_takes_a_few_commands_and_two_more_for_each_worker_at_most(
    server: MadeUpRedis, reader: Reader
) -> None:
    snapshot = reader.read()
    assert snapshot.commands == len(server.commands) <= 11


def test_a_lost_redis_is_an_event_and_so_is_its_return(server: MadeUpRedis, reader: Reader) -> None:
    reader.read()
    server.error = redis.ConnectionError("lost redis://:secret@127.0.0.1")
    lost = reader.read()
    assert [each.name for each in lost.workers] == ["threads@a"]
    assert "lost" in lost.error
    assert "secret" not in repr(lost)
    server.error = None
    found = reader.read()
    assert not found.error
    assert [each.text for each in found.events] == ["Redis does not answer", "Redis answers again"]
