"""The ledger gives the same value for any cut, any order and any duplication of chunks."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolrace.producer.jobs.ledger import Ledger, OverlapError
from poolrace.workers.chunks import Chunk
from poolrace.workers.workloads.base import Merge, running_minimum, running_sum


def cut(start: int, stop: int, points: set[int]) -> list[Chunk]:
    edges = [start, *sorted(point for point in points if start < point < stop), stop]
    return [Chunk(*pair) for pair in itertools.pairwise(edges)]


@given(
    start=st.integers(0, 1000),
    count=st.integers(1, 300),
    points=st.sets(st.integers(0, 1300)),
    seed=st.integers(),
    twice=st.lists(st.integers(0, 400)),
)
def test_any_cut_any_order_any_duplication_gives_the_same_value(
    start: int, count: int, points: set[int], seed: int, twice: list[int]
) -> None:
    chunks = cut(start, start + count, points)
    arriving = chunks + [chunks[i % len(chunks)] for i in twice]
    random.Random(seed).shuffle(arriving)
    ledger = Ledger(start, start + count, running_sum())
    for chunk in arriving:
        assert not ledger.complete or ledger.covers(chunk)
        ledger.add(chunk, sum(range(chunk.start, chunk.stop)))
    assert ledger.complete
    assert ledger.value == sum(range(start, start + count))
    assert ledger.duplicates == len(twice)
    assert ledger.intervals == [Chunk(start, start + count)]


@given(points=st.sets(st.integers(0, 60)), missing=st.integers(0, 60), seed=st.integers())
def test_a_missing_chunk_keeps_the_ledger_incomplete(
    points: set[int], missing: int, seed: int
) -> None:
    chunks = cut(0, 60, points)
    left_out = chunks[missing % len(chunks)]
    random.Random(seed).shuffle(chunks)
    ledger = Ledger(0, 60, running_sum())
    for chunk in chunks:
        if chunk != left_out:
            ledger.add(chunk, 0)
    assert not ledger.complete
    assert ledger.done == 60 - len(left_out)
    assert not ledger.covers(left_out)


@given(
    first=st.tuples(st.integers(0, 30), st.integers(1, 30)),
    second=st.tuples(st.integers(0, 30), st.integers(1, 30)),
)
def test_two_chunks_are_both_new_or_one_is_a_duplicate_or_they_overlap(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    one, two = (Chunk(start, start + size) for start, size in (first, second))
    ledger = Ledger(0, 60, running_sum())
    ledger.add(one, 0)
    indices = set(range(two.start, two.stop)) & set(range(one.start, one.stop))
    if len(indices) == len(two):
        assert ledger.add(two, 0) is False
    elif indices:
        with pytest.raises(OverlapError):
            ledger.add(two, 0)
    else:
        assert ledger.add(two, 0) is True
        assert ledger.done == len(one) + len(two)


@given(values=st.lists(st.integers(), min_size=1))
@pytest.mark.parametrize(("merge", "reference"), [(running_sum, sum), (running_minimum, min)])
def test_merging_gives_the_value_of_the_builtin_function(
    merge: type[Merge], reference: type, values: list[int]
) -> None:
    ledger = Ledger(0, len(values), merge())
    for i, value in enumerate(values):
        ledger.add(Chunk(i, i + 1), value)
    assert ledger.value == reference(values)


def test_an_empty_range_is_complete_at_once_with_value_0() -> None:
    ledger = Ledger(7, 7, running_minimum())
    assert ledger.complete
    assert ledger.value == 0
    assert ledger.intervals == []


@pytest.mark.parametrize("chunk", [Chunk(-1, 2), Chunk(9, 11), Chunk(3, 3), Chunk(5, 4)])
def test_a_chunk_outside_the_range_is_refused(chunk: Chunk) -> None:
    with pytest.raises(ValueError, match="not within"):
        Ledger(0, 10, running_sum()).add(chunk, 0)


def test_chunks_that_arrive_in_order_make_one_interval() -> None:
    ledger = Ledger(0, 10_000, running_sum())
    for i in range(9_999):
        ledger.add(Chunk(i, i + 1), i)
        assert len(ledger.intervals) == 1
