"""Malformed messages are dropped by the workers' transport and do not harm a worker."""

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
from poolrace.workers.protocol import queue_of
from poolrace.workers.runtime.presence import Presence
from poolrace.workers.runtime.transport import MAX_BODY_BYTES, InvalidMessage, check_message
from poolrace.workers.workloads import make_workload
from tests.conftest import run_once, wait_until

if TYPE_CHECKING:
    from poolrace.producer.results.run import Run

Envelope = dict[str, Any]
Change = Callable[[Envelope], object]

ABSENT = object()


def put(value: Any, *path: str) -> Change:
    """A change that sets ``path`` in an envelope to ``value``, or deletes it for ``ABSENT``."""

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


class ExitWhenUnpickled:
    """An object that ends the interpreter when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return sys.exit, (1,)


PICKLED = pickle.dumps(([ExitWhenUnpickled()], {}, {}))
DEEP = b"[" * 100_000
NO_CANVAS = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}

MALFORMED: dict[str, Change] = {
    "no body": put(ABSENT, "body"),
    "a body of null": put(None, "body"),
    "a body of a number": put(7, "body"),
    "a body that is not base64": put("%%%", "body"),
    "a body that is not JSON": body(b"{"),
    "a body that is not text": body(b"\xff\xfe\x00"),
    "a deeply nested body": body(DEEP),
    "a pickled body": body(PICKLED),
    "a body of null in base64": body(b"null"),
    "a body that is an object": body(b"{}"),
    "a body with one part": call([]),
    "a body with swapped parts": call({}, [], NO_CANVAS),
    "a body with parts of null": call(None, None, None),
    "arguments that are text": call("abc", {}, NO_CANVAS),
    "a body that is too long": call(["x" * (MAX_BODY_BYTES + 1)], {}, NO_CANVAS),
    "a callback": call([], {}, {"callbacks": [{"task": TASK}]}),
    "a chain": call([], {}, {"chain": [{"task": TASK, "args": []}]}),
    "another encoding of the body": put("utf-7", "properties", "body_encoding"),
    "no encoding of the body": put(ABSENT, "properties", "body_encoding"),
    "a pickle by its content type": put("application/x-python-serialize", "content-type"),
    "YAML": put("application/x-yaml", "content-type"),
    "no content type": put(ABSENT, "content-type"),
    "a content type of a number": put(5, "content-type"),
    "an unknown content encoding": put("no-such", "content-encoding"),
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
    "an invalid date": put("tomorrow", "headers", "eta"),
    "a date in a thousand years": put("3026-01-01T00:00:00+00:00", "headers", "eta"),
    "an invalid expiry": put([1], "headers", "expires"),
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
"""Changes by which an envelope becomes malformed, so that the transport drops it."""

RAW: dict[str, bytes] = {
    "an empty message": b"",
    "a pickle": PICKLED,
    "half an object": b'{"body": "',
    "null": b"null",
    "a list": b"[1, 2]",
    "a number": b"7",
    "text": b'"abc"',
    "deeply nested": DEEP,
    "bytes that are not text": b"\xff\xfe\x00\x01",
}
"""Messages that are not an envelope."""

WRONG: dict[str, Change] = {
    "an unknown task": put("no.such.task", "headers", "task"),
    "no arguments": call([], {}, NO_CANVAS),
    "too many arguments": call(["j", "sum", {}, [[0, 1]], None, 2], {}, NO_CANVAS),
    "a time limit of text": call(["j", "sum", {}, [[0, 1]], "2"], {}, NO_CANVAS),
    "keywords of no argument": call([], {"a": 1}, NO_CANVAS),
    "an unknown workload": call(["j", "no-such", {}, 0, 1], {}, NO_CANVAS),
    "a workload that is a list": call(["j", [], {}, 0, 1], {}, NO_CANVAS),
    "parameters that are a list": call(["j", "sum", [], [[0, 1]]], {}, NO_CANVAS),
    "an unknown parameter": call(["j", "sum", {"x": 1}, [[0, 1]]], {}, NO_CANVAS),
    "a parameter of another type": call(["j", "sum", {"kernel": {}}, [[0, 1]]], {}, NO_CANVAS),
    "a range of text": call(["j", "sum", {}, [["0", "1"]]], {}, NO_CANVAS),
    "a range of null": call(["j", "sum", {}, [[None, None]]], {}, NO_CANVAS),
    "a range of floats": call(["j", "sum", {}, [[0.5, 1.5]]], {}, NO_CANVAS),
    "ranges that are a number": call(["j", "sum", {}, 7], {}, NO_CANVAS),
    "a range of three": call(["j", "sum", {}, [[0, 1, 2]]], {}, NO_CANVAS),
    "a range that runs backwards": call(["j", "sum", {}, [[9, 1]]], {}, NO_CANVAS),
    "a range of the whole numbers": call(["j", "sum", {}, [[0, 10**40]]], {}, NO_CANVAS),
    "a job that is an object": call([{}, "sum", {}, [[0, 1]]], {}, NO_CANVAS),
}  # fmt: skip
"""Changes after which an envelope is well-formed, but calls another task or has wrong arguments."""


@pytest.fixture
def envelope(with_cluster: Settings, store: "redis.Redis") -> Envelope:
    """A message of the producer, read back from a queue that no worker consumes."""
    queue = f"unused-{uuid.uuid4().hex}"
    with make_app(with_cluster) as app:
        _send(app, queue, ["job", "sum", {}, [[0, 10]]])
    raw = store.lpop(queue)
    store.delete(f"_kombu.binding.{queue}")
    assert isinstance(raw, bytes)
    envelope = json.loads(raw)
    assert isinstance(envelope, dict)
    return envelope


def _send(app: Celery, queue: str, arguments: list[Any]) -> None:
    message = app.amqp.create_task_message("job.0-10", TASK, args=arguments)
    with app.producer_pool.acquire(block=True) as producer:
        app.amqp.send_task_message(producer, TASK, message, queue=queue)


def changed(envelope: Envelope, name: str, change: Change, pool: str) -> Envelope:
    """A copy of an envelope with its own id, addressed to ``pool``, after the change."""
    copied = copy.deepcopy(envelope)
    copied["headers"]["id"] = f"forged {name}"
    copied["properties"]["delivery_tag"] = uuid.uuid4().hex
    copied["properties"]["delivery_info"] = {"exchange": pool, "routing_key": pool}
    change(copied)
    return copied


def test_a_message_of_the_producer_is_valid(envelope: Envelope) -> None:
    check_message(envelope)


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_envelope_is_invalid(name: str, envelope: Envelope) -> None:
    with pytest.raises(InvalidMessage):
        check_message(changed(envelope, name, MALFORMED[name], "threads"))


@pytest.mark.parametrize("pool", POOLS)
def test_malformed_messages_leave_the_queue_and_do_not_harm_the_worker(
    pool: str, envelope: Envelope, store: "redis.Redis", with_cluster: Settings
) -> None:
    before = _worker(store, pool)
    forged = [
        json.dumps(changed(envelope, name, change, pool)).encode()
        for name, change in {**MALFORMED, **WRONG}.items()
        if len(json.dumps(changed(envelope, name, change, pool))) < 1_000_000
    ]
    store.lpush(queue_of(pool), *forged, *RAW.values())
    wait_until(lambda: store.llen(queue_of(pool)) == 0)
    run: Run = run_once(make_workload("sum", {}), 0, 100_000, Model("celery", pool), with_cluster)
    assert run.exact
    assert _worker(store, pool) == before
    assert store.llen(queue_of(pool)) == 0
    for key in store.scan_iter("celery-task-meta-forged*"):
        stored = store.get(key)
        assert isinstance(stored, bytes)
        assert json.loads(stored)["status"] == "FAILURE"
        store.delete(key)


def test_redis_refuses_a_message_above_1_mib(store: "redis.Redis") -> None:
    with pytest.raises(redis.RedisError):
        store.lpush(queue_of("threads"), b"x" * (2**20 + 1))
    assert store.llen(queue_of("threads")) == 0


def test_the_largest_value_of_a_workload_fits_into_a_result(with_cluster: Settings) -> None:
    factorial = make_workload("factorial", {"wait_s": 0})
    stop = factorial.limit
    run = run_once(factorial, stop - 5, stop, Model("celery", "threads"), with_cluster)
    assert run.exact
    assert run.value.bit_length() > 250_000


def _worker(store: "redis.Redis", pool: str) -> Presence:
    [worker] = pool_workers(store, pool)
    return worker
