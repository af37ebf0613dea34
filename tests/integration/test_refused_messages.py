"""Messages that no producer of ours sends: refused, without harm to any worker."""

import base64
import copy
import json
import pickle
import sys
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import redis
from celery import Celery

from poolrace.producer.broker.workers import pool_workers
from poolrace.producer.executors.models import Model
from poolrace.producer.settings import Settings
from poolrace.workers.app import TASK, make_app
from poolrace.workers.pools import POOLS
from poolrace.workers.runtime.presence import Presence
from poolrace.workers.runtime.transport import MAX_BODY_BYTES, Refused, require_ours
from poolrace.workers.workloads import make_workload
from tests.conftest import run_once, wait_until

if TYPE_CHECKING:
    from poolrace.producer.results.run import Run

Envelope = dict[str, Any]
Change = Callable[[Envelope], object]

ABSENT = object()


def put(value: Any, *path: str) -> Change:
    """A change of an envelope: ``value`` at that path, or nothing if it is ``ABSENT``."""

    def change(envelope: Envelope) -> None:
        for name in path[:-1]:
            envelope = envelope[name]
        if value is ABSENT:
            del envelope[path[-1]]
        else:
            envelope[path[-1]] = value

    return change


def body(content: bytes) -> Change:
    return put(base64.b64encode(content).decode(), "body")


def call(*parts: Any) -> Change:
    return body(json.dumps(parts).encode())


class Evil:
    """Unpickled, it would be seen: the interpreter would end."""

    def __reduce__(self) -> tuple[Any, ...]:
        return sys.exit, (1,)


PICKLED = pickle.dumps(([Evil()], {}, {}))
DEEP = b"[" * 100_000
NOTHING_AFTER = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}

MALFORMED: dict[str, Change] = {
    "no body": put(ABSENT, "body"),
    "a body of null": put(None, "body"),
    "a body of a number": put(7, "body"),
    "a body that is no base64": put("%%%", "body"),
    "a body that is no JSON": body(b"{"),
    "a body that is no text": body(b"\xff\xfe\x00"),
    "a body nested without end": body(DEEP),
    "a pickled body": body(PICKLED),
    "a body of null in base64": body(b"null"),
    "a body that is an object": body(b"{}"),
    "a body with one part": call([]),
    "a body with swapped parts": call({}, [], NOTHING_AFTER),
    "a body with parts of null": call(None, None, None),
    "arguments that are text": call("abc", {}, NOTHING_AFTER),
    "a body as long as a book": call(["x" * (MAX_BODY_BYTES + 1)], {}, NOTHING_AFTER),
    "a call of something else afterwards": call([], {}, {"callbacks": [{"task": TASK}]}),
    "a chain": call([], {}, {"chain": [{"task": TASK, "args": []}]}),
    "another encoding of the body": put("utf-7", "properties", "body_encoding"),
    "no encoding of the body": put(ABSENT, "properties", "body_encoding"),
    "a pickle that says so": put("application/x-python-serialize", "content-type"),
    "YAML": put("application/x-yaml", "content-type"),
    "a content of no type": put(ABSENT, "content-type"),
    "a content type of a number": put(5, "content-type"),
    "a content in no known encoding": put("no-such", "content-encoding"),
    "a content encoding of null": put(None, "content-encoding"),
    "no headers": put(ABSENT, "headers"),
    "headers of null": put(None, "headers"),
    "headers in a list": put([], "headers"),
    "empty headers": put({}, "headers"),
    "a task without a name": put(None, "headers", "task"),
    "a task named by a list": put([], "headers", "task"),
    "no id": put(ABSENT, "headers", "id"),
    "an id of a number": put(1, "headers", "id"),
    "retries of text": put("many", "headers", "retries"),
    "a date that is none": put("tomorrow", "headers", "eta"),
    "a date in a thousand years": put("3026-01-01T00:00:00+00:00", "headers", "eta"),
    "an expiry that is none": put([1], "headers", "expires"),
    "time limits of text": put("ab", "headers", "timelimit"),
    "time limits of objects": put([{}, {}], "headers", "timelimit"),
    "a compression": put("application/x-bz2", "headers", "compression"),
    "stamps of text": put("abc", "headers", "stamped_headers"),
    "no properties": put(ABSENT, "properties"),
    "properties in a list": put([], "properties"),
    "no delivery tag": put(ABSENT, "properties", "delivery_tag"),
    "a delivery tag that is an object": put({}, "properties", "delivery_tag"),
    "no delivery info": put(ABSENT, "properties", "delivery_info"),
    "delivery info of text": put("here", "properties", "delivery_info"),
    "no exchange": put(ABSENT, "properties", "delivery_info", "exchange"),
}  # fmt: skip
"""Envelopes that the transport drops."""

RAW: dict[str, bytes] = {
    "an empty message": b"",
    "a pickle": PICKLED,
    "half an object": b'{"body": "',
    "null": b"null",
    "a list": b"[1, 2]",
    "a number": b"7",
    "text": b'"abc"',
    "nested without end": DEEP,
    "no text": b"\xff\xfe\x00\x01",
}
"""What is no envelope at all."""

WRONG: dict[str, Change] = {
    "an unknown task": put("no.such.task", "headers", "task"),
    "no arguments": call([], {}, NOTHING_AFTER),
    "too many arguments": call(["j", "sum", {}, [[0, 1]], None, 2], {}, NOTHING_AFTER),
    "a time limit of text": call(["j", "sum", {}, [[0, 1]], "2"], {}, NOTHING_AFTER),
    "keywords of no argument": call([], {"a": 1}, NOTHING_AFTER),
    "an unknown workload": call(["j", "no-such", {}, 0, 1], {}, NOTHING_AFTER),
    "a workload that is a list": call(["j", [], {}, 0, 1], {}, NOTHING_AFTER),
    "parameters that are a list": call(["j", "sum", [], [[0, 1]]], {}, NOTHING_AFTER),
    "an unknown parameter": call(["j", "sum", {"x": 1}, [[0, 1]]], {}, NOTHING_AFTER),
    "a parameter of another type": call(["j", "sum", {"kernel": {}}, [[0, 1]]], {}, NOTHING_AFTER),
    "a range of text": call(["j", "sum", {}, [["0", "1"]]], {}, NOTHING_AFTER),
    "a range of null": call(["j", "sum", {}, [[None, None]]], {}, NOTHING_AFTER),
    "a range of floats": call(["j", "sum", {}, [[0.5, 1.5]]], {}, NOTHING_AFTER),
    "ranges that are a number": call(["j", "sum", {}, 7], {}, NOTHING_AFTER),
    "a range of three": call(["j", "sum", {}, [[0, 1, 2]]], {}, NOTHING_AFTER),
    "a range that runs backwards": call(["j", "sum", {}, [[9, 1]]], {}, NOTHING_AFTER),
    "a range of the whole numbers": call(["j", "sum", {}, [[0, 10**40]]], {}, NOTHING_AFTER),
    "a job that is an object": call([{}, "sum", {}, [[0, 1]]], {}, NOTHING_AFTER),
}  # fmt: skip
"""Well-formed messages that the task refuses, or that name no task of ours."""


@pytest.fixture
def envelope(with_cluster: Settings, store: "redis.Redis") -> Envelope:
    """A message as the producer sends it, taken back before a worker sees it."""
    queue = f"nobody-{uuid.uuid4().hex}"
    with make_app(with_cluster) as app:
        _send(app, queue, ["job", "sum", {}, [[0, 10]]])
    raw = store.lpop(queue)
    store.delete(f"_kombu.binding.{queue}")
    assert isinstance(raw, bytes)
    whole = json.loads(raw)
    assert isinstance(whole, dict)
    return whole


def _send(app: Celery, queue: str, arguments: list[Any]) -> None:
    message = app.amqp.create_task_message("job.0-10", TASK, args=arguments)
    with app.producer_pool.acquire(block=True) as producer:
        app.amqp.send_task_message(producer, TASK, message, queue=queue)


def changed(envelope: Envelope, name: str, change: Change, pool: str) -> Envelope:
    """A copy with an id of its own, addressed to that pool, and then the change."""
    copied = copy.deepcopy(envelope)
    copied["headers"]["id"] = f"forged {name}"
    copied["properties"]["delivery_tag"] = uuid.uuid4().hex
    copied["properties"]["delivery_info"] = {"exchange": pool, "routing_key": pool}
    change(copied)
    return copied


def test_what_the_producer_sends_passes(envelope: Envelope) -> None:
    require_ours(envelope)


@pytest.mark.parametrize("name", MALFORMED)
def test_an_envelope_that_celery_would_stumble_over_is_refused(
    name: str, envelope: Envelope
) -> None:
    with pytest.raises(Refused):
        require_ours(changed(envelope, name, MALFORMED[name], "threads"))


@pytest.mark.parametrize("pool", POOLS)
def test_no_message_harms_a_worker_or_stays(
    pool: str, envelope: Envelope, store: "redis.Redis", with_cluster: Settings
) -> None:
    """All of them in front of a real worker, which then works on as the same process."""
    before = _worker(store, pool)
    forged = [
        json.dumps(changed(envelope, name, change, pool)).encode()
        for name, change in {**MALFORMED, **WRONG}.items()
        if len(json.dumps(changed(envelope, name, change, pool))) < 1_000_000
    ]
    store.lpush(pool, *forged, *RAW.values())
    wait_until(lambda: store.llen(pool) == 0)
    run: Run = run_once(make_workload("sum", {}), 0, 100_000, Model("celery", pool), with_cluster)
    assert run.exact
    assert _worker(store, pool) == before
    assert store.llen(pool) == 0
    for key in store.scan_iter("celery-task-meta-forged*"):
        stored = store.get(key)
        assert isinstance(stored, bytes)
        assert json.loads(stored)["status"] == "FAILURE"
        store.delete(key)


def test_redis_refuses_what_is_longer_than_any_message(store: "redis.Redis") -> None:
    with pytest.raises(redis.RedisError):
        store.lpush("threads", b"x" * (2**20 + 1))
    assert store.llen("threads") == 0


def test_the_longest_value_that_a_workload_finds_fits(with_cluster: Settings) -> None:
    factorial = make_workload("factorial", {"wait_s": 0})
    stop = factorial.limit
    run = run_once(factorial, stop - 5, stop, Model("celery", "threads"), with_cluster)
    assert run.exact
    assert run.value.bit_length() > 250_000


def _worker(store: "redis.Redis", pool: str) -> Presence:
    [worker] = pool_workers(store, pool)
    return worker
