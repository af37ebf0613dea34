"""Chunks and results survive their way between processes, and anything else is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolrace.workers.chunks import Chunk, ChunkResult, decode_int, encode_int


@given(value=st.integers())
def test_any_integer_survives_json(value: int) -> None:
    assert decode_int(json.loads(json.dumps(encode_int(value)))) == value


def test_an_integer_beyond_the_digit_limit_of_python_survives_json() -> None:
    value = -(10**50_000)
    assert decode_int(json.loads(json.dumps(encode_int(value)))) == value


@given(
    start=st.integers(0, 10**12),
    size=st.integers(0, 10**6),
    value=st.integers(),
    seconds=st.floats(0, 1e6),
)
def test_a_result_survives_json(start: int, size: int, value: int, seconds: float) -> None:
    result = ChunkResult(
        Chunk(start, start + size), value, seconds, seconds, seconds, "host", "1.0"
    )
    assert ChunkResult.from_json(json.loads(json.dumps(result.to_json()))) == result


GOOD = ChunkResult(Chunk(0, 1), 0, 0.0, 0.0, 0.0, "host", "1.0").to_json()


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "text",
        {},
        {**GOOD, "start": "0"},
        {**GOOD, "start": True},
        {**GOOD, "stop": 1.5},
        {**GOOD, "value": None},
        {**GOOD, "value": "ten"},
        {**GOOD, "duration_s": "long"},
        {**GOOD, "duration_s": float("nan")},
        {**GOOD, "cpu_s": -1.0},
        {**GOOD, "start": 5, "stop": 3},
        {**GOOD, "stop": 2**80},
        {key: value for key, value in GOOD.items() if key != "host"},
    ],
)
def test_a_value_that_is_not_a_result_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        ChunkResult.from_json(value)
