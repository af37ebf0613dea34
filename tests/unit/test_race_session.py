"""The session of a race with workers that exist in memory only."""

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from poolrace.producer.race import session as module
from poolrace.producer.race.app_info import AppInfo
from poolrace.producer.race.items import Item
from poolrace.producer.race.options import RaceOptions, Target
from poolrace.producer.race.sandbox import Sandbox
from poolrace.producer.race.session import RaceSession
from poolrace.producer.race.worker_group import ItemTiming
from poolrace.producer.results.candidate import SOLO, Candidate
from poolrace.producer.results.race import TaskSettings
from poolrace.workers.errors import ClusterError
from poolrace.workers.usage import Usage

THREADS, PREFORK = Candidate("threads", 2), Candidate("prefork", 2)
BROKEN = Candidate("gevent", 2)


class Queues:
    """Stands for a Redis client: keeps the ids of the tasks that are sent."""

    sent: ClassVar[dict[str, list[str]]] = defaultdict(list)

    def lpush(self, key: str, *messages: str) -> None:
        self.sent[key] += [json.loads(message)["headers"]["id"] for message in messages]

    def unlink(self, *keys: str) -> None:
        pass


class WithFixedPort:
    """Workers that start only while no other ones run; items take no time."""

    running: ClassVar[set["WithFixedPort"]] = set()
    starts: ClassVar[list[Candidate]] = []
    sent: ClassVar[set[str]] = set()
    ended = retried = False

    def __init__(self, _: Target, sandbox: Sandbox, candidate: Candidate, __: float) -> None:
        self.candidate = candidate
        self.queue = str(candidate)
        self._key = f"{sandbox.prefix}{self.queue}"

    def start(self) -> None:
        self.running.add(self)
        self.starts.append(self.candidate)

    def wait_until_ready(self, _: float) -> None:
        if len(self.running) > 1 or self.candidate == BROKEN:
            raise ClusterError(f"{self.candidate} did not start: Address already in use")

    def request_stop(self, *, kill: bool = False) -> None:
        self.running.discard(self)

    def stop(self) -> None:
        assert self not in self.running

    def read_timings(self, _: float) -> list[ItemTiming]:
        assert self in self.running
        ids, Queues.sent[self._key] = Queues.sent[self._key], []
        now = time.monotonic()
        return [ItemTiming(task_id, now - 0.01, now, 0.0, 0.0, None, "") for task_id in ids]

    def usage(self) -> dict[str, Usage]:
        return {}

    main_usage = usage

    def memory_bytes(self) -> int:
        return 2**20


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[RaceSession]:
    """A session of an app whose workers have a fixed port."""
    monkeypatch.setattr(module, "WorkerGroup", WithFixedPort)
    WithFixedPort.starts.clear()
    client: Any = Queues()
    settings = TaskSettings("prefork", acks_late=False, prefetch=4, rate_limit=None)
    app = AppInfo("5", "3", True, (), "json", 4, False, settings, None)
    options = RaceOptions(
        Target("proj", "proj.nap", "python", Path()), [Item(1, [], {})], repeat_items=1
    )
    with RaceSession(options, Sandbox("", "race-", client), app) as opened:
        yield opened
    assert not WithFixedPort.running


def test_workers_that_do_not_start_beside_others_run_one_candidate_at_a_time(
    session: RaceSession, caplog: pytest.LogCaptureFixture
) -> None:
    assert session.start([SOLO]) == [SOLO]
    assert session.measure(SOLO, "base").items
    assert session.start([PREFORK, THREADS]) == [PREFORK, THREADS]
    assert "candidates run one at a time" in caplog.text
    assert session.failures == {}
    for candidate in (PREFORK, THREADS, SOLO, THREADS):
        assert session.measure(candidate, "final").items == 1
        assert {workers.candidate for workers in WithFixedPort.running} == {candidate}
    session.stop([THREADS])
    assert session.start([THREADS]) == [THREADS]


def test_workers_that_do_not_start_alone_either_have_failed(session: RaceSession) -> None:
    assert session.start([SOLO]) == [SOLO]
    assert session.start([BROKEN]) == []
    assert session.failures == {BROKEN: "gevent:2 did not start: Address already in use"}
    assert session.measure(SOLO, "base").items == 1
