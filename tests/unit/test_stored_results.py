"""Results of batches survive their way through Redis, and any other payload is refused."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolrace.producer.executors.celery.base_messages import Failure
from poolrace.producer.executors.celery.in_flight import Batch
from poolrace.producer.executors.celery.stored_results import decode_result
from poolrace.workers.chunks import Chunk, ChunkResult, results_to_json

SECONDS = st.integers(0, 10**15).map(lambda nanoseconds: nanoseconds / 1e9)
CHUNKS = st.builds(
    lambda start, size: Chunk(start, start + size), st.integers(0, 10**12), st.integers(0, 10**6)
)
RESULTS = st.lists(
    st.builds(
        ChunkResult, CHUNKS, st.integers(), SECONDS, SECONDS, SECONDS, st.just("h"), st.just("1.0")
    ),
    min_size=1,
)


def payload(result: Any, status: str = "SUCCESS", **fields: Any) -> str:
    return json.dumps({"task_id": "job.0-1", "status": status, "result": result, **fields})


def not_sent(_: str) -> Batch:
    return ()


@given(results=RESULTS, in_flight=st.booleans())
def test_results_survive_json(results: list[ChunkResult], in_flight: bool) -> None:
    chunks = tuple(result.chunk for result in results)
    decoded = decode_result(
        payload(results_to_json(results)), lambda _: chunks if in_flight else ()
    )
    assert decoded is not None
    assert (decoded.task_id, decoded.outcome) == ("job.0-1", results)


@given(digits=st.integers(20, 10_000), sign=st.sampled_from([1, -1]))
def test_large_values_survive_json(digits: int, sign: int) -> None:
    result = ChunkResult(Chunk(0, 1), sign * 10**digits, 0.0, 0.0, 0.0, "h", "1.0")
    decoded = decode_result(payload(results_to_json([result])), not_sent)
    assert decoded is not None
    assert decoded.outcome == [result]


def test_a_result_of_other_chunks_than_those_sent_names_its_own() -> None:
    result = ChunkResult(Chunk(0, 4), 6, 0.0, 0.0, 0.0, "h", "1.0")
    decoded = decode_result(payload(results_to_json([result])), lambda _: (Chunk(0, 2),))
    assert decoded is not None
    assert decoded.outcome == [result]


def test_a_failed_task_gives_the_failure_with_its_host() -> None:
    error = {"exc_type": "ValueError", "exc_message": ["no", 7], "exc_module": "builtins"}
    decoded = decode_result(payload(error, "FAILURE", traceback="...\non host here\n"), not_sent)
    assert decoded is not None
    assert decoded.outcome == Failure("ValueError", "no 7", "...\non host here")
    assert decoded.outcome.host == "here"


def test_a_task_that_has_not_ended_has_no_result() -> None:
    assert decode_result(payload(None, "STARTED"), not_sent) is None


GOOD = results_to_json([ChunkResult(Chunk(0, 1), 0, 0.0, 0.0, 0.0, "host", "1.0")])


@pytest.mark.parametrize(
    "result",
    [
        None,
        [],
        "text",
        {},
        [GOOD],
        {**GOOD, "ranges": [["0", 1, 1]]},
        {**GOOD, "ranges": [[True, 1, 1]]},
        {**GOOD, "ranges": [[0, 1]]},
        {**GOOD, "ranges": [0, 1, 1]},
        {**GOOD, "ranges": 0},
        {**GOOD, "ranges": []},
        {**GOOD, "ranges": [[0, 1.5, 1]]},
        {**GOOD, "ranges": [[0, 1, 0]]},
        {**GOOD, "ranges": [[0, 1, -1]]},
        {**GOOD, "ranges": [[0, 1, 2]]},
        {**GOOD, "ranges": [[0, 2, 1]]},
        {**GOOD, "ranges": [[0, 10**12, 1]]},
        {**GOOD, "ranges": [[0, 1, 1], [1, 2, 1]]},
        {**GOOD, "values": [None]},
        {**GOOD, "values": ["ten"]},
        {**GOOD, "values": []},
        {**GOOD, "durations_ns": ["long"]},
        {**GOOD, "durations_ns": [math.nan]},
        {**GOOD, "durations_ns": [0.5]},
        {**GOOD, "waited_ns": [math.inf]},
        {**GOOD, "cpu_ns": [-1]},
        {**GOOD, "ranges": [[5, 3, 2]]},
        {**GOOD, "ranges": [[0, 2**80, 2**80]]},
        {key: value for key, value in GOOD.items() if key != "host"},
    ],
)
def test_a_value_that_is_not_a_result_is_refused(result: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        decode_result(payload(result), not_sent)


@pytest.mark.parametrize("text", [b"\x80\x04not json", b"{}", b"null", b"[" * 100_000, b'"\x80"'])
def test_a_payload_that_celery_did_not_store_is_refused(text: bytes) -> None:
    with pytest.raises((ValueError, TypeError, RecursionError)):
        decode_result(text, not_sent)
