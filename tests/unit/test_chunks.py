"""Chunks and results survive their way between processes, and anything else is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolrace.workers.chunks import (
    MAX_CHUNKS,
    Chunk,
    ChunkResult,
    decode_int,
    encode_int,
    from_cut_ranges,
    number_of_chunks,
    to_cut_ranges,
)


@given(value=st.integers())
def test_any_integer_survives_json(value: int) -> None:
    assert decode_int(json.loads(json.dumps(encode_int(value)))) == value


def test_an_integer_beyond_the_digit_limit_of_python_survives_json() -> None:
    value = -(10**50_000)
    assert decode_int(json.loads(json.dumps(encode_int(value)))) == value


@st.composite
def chunks_in_any_order(draw: st.DrawFn) -> list[Chunk]:
    """Chunks of few sizes, each behind the last one, before it, or anywhere; some are empty."""
    chunks: list[Chunk] = []
    for _ in range(draw(st.integers(0, 30))):
        size = draw(st.integers(0, 3))
        start = draw(st.integers(0, 50))
        if chunks:
            start = draw(st.sampled_from([chunks[-1].stop, max(chunks[-1].start - size, 0), start]))
        chunks.append(Chunk(start, start + size))
    return chunks


@given(chunks=chunks_in_any_order())
def test_chunks_survive_as_cut_ranges(chunks: list[Chunk]) -> None:
    ranges = json.loads(json.dumps(to_cut_ranges(chunks)))
    assert from_cut_ranges(ranges) == chunks
    assert number_of_chunks(ranges) == len(chunks)


@pytest.mark.parametrize(("count", "size"), [(1000, 1), (1001, 2), (7, 10), (3_000_001, 1000)])
def test_neighbours_of_one_size_are_one_cut_range(count: int, size: int) -> None:
    chunks = [Chunk(begin, min(begin + size, count)) for begin in range(0, count, size)]
    assert to_cut_ranges(chunks) == [[0, count, min(size, count)]]


def test_no_message_names_more_chunks_than_fit_in_memory() -> None:
    assert len(from_cut_ranges([[0, MAX_CHUNKS, 1]])) == MAX_CHUNKS
    with pytest.raises(ValueError, match=f"more than {MAX_CHUNKS:_}"):
        from_cut_ranges([[0, MAX_CHUNKS - 1, 1], [0, 2, 1]])
    with pytest.raises(ValueError, match=r"\[0, 1000000000000\) in chunks of 1"):
        from_cut_ranges([[0, 10**12, 1]])


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
