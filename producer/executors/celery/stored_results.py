"""Decodes the results of tasks as Celery stores them. Checks every field: anyone may publish. Pure.

msgspec checks and decodes the lists of a batch in a third of the time that ``json`` takes.
"""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from celery import states

from poolrace.producer.executors.celery.base_messages import Failure, TaskResult
from poolrace.producer.executors.celery.in_flight import Batch
from poolrace.workers.chunks import (
    ChunkResult,
    CutRange,
    decode_int,
    from_cut_ranges,
    to_cut_ranges,
)

Nanoseconds = Annotated[int, msgspec.Meta(ge=0)]


class _Stored(msgspec.Struct):
    """The fields of a stored result that poolrace reads."""

    task_id: str
    status: str
    result: msgspec.Raw
    traceback: Any = None


class _Results(msgspec.Struct):
    """The results of a batch, as ``results_to_json`` encodes them."""

    host: str
    slot: str
    ranges: list[CutRange]
    values: list[int | str]
    durations_ns: list[Nanoseconds]
    cpu_ns: list[Nanoseconds]
    waited_ns: list[Nanoseconds]


_decode_stored = msgspec.json.Decoder(_Stored).decode
_decode_results = msgspec.json.Decoder(_Results).decode


def decode_result(payload: bytes | str, sent: Callable[[str], Batch]) -> TaskResult | None:
    """The result of a task in a payload that Celery stored; ``None`` if the task has not ended.

    ``sent`` returns the chunks of the task with this id, or none if it is not in flight. Raises
    ``ValueError``, ``TypeError`` or ``RecursionError`` for a malformed payload.
    """
    stored = _decode_stored(payload)
    if stored.status == states.FAILURE:
        return TaskResult(stored.task_id, _failure(msgspec.json.decode(stored.result), stored))
    if stored.status != states.SUCCESS:
        return None
    results = _decode_results(stored.result)
    return TaskResult(stored.task_id, _chunk_results(results, sent(stored.task_id)))


def _chunk_results(results: _Results, sent: Batch) -> list[ChunkResult]:
    """The results by chunk, with the chunks that were sent if the results are theirs."""
    # New chunks would take as long to make and to compare as the rest of the decoding.
    chunks = sent if to_cut_ranges(sent) == results.ranges else from_cut_ranges(results.ranges)
    columns = chunks, results.values, results.durations_ns, results.cpu_ns, results.waited_ns
    host, slot = results.host, results.slot
    return [
        ChunkResult(
            chunk, decode_int(value) if type(value) is str else value, duration_ns / 1e9,  # type: ignore[arg-type]
            cpu_ns / 1e9, waited_ns / 1e9, host, slot,
        )
        for chunk, value, duration_ns, cpu_ns, waited_ns in zip(*columns, strict=True)
    ]  # fmt: skip


def _failure(error: Any, stored: _Stored) -> Failure:
    """The failure in the fields of a result that Celery stored."""
    fields = error if isinstance(error, dict) else {}
    message = fields.get("exc_message", "")
    text = " ".join(map(str, message)) if isinstance(message, list | tuple) else str(message)
    traceback = str(stored.traceback or "").rstrip()
    return Failure(str(fields.get("exc_type", "error")), text, traceback)
