"""Schedules cut a range as OpenMP's schedules do; auto keeps messages rare."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import (
    LONGEST_CHUNK_S,
    MAX_DEFAULT_CHUNKS,
    SCHEDULES,
    Auto,
    Dynamic,
    Guided,
    Schedule,
    ScheduleChoice,
    Static,
)
from poolrace.producer.jobs.slot_speeds import SHORTEST_CHUNK_S
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.errors import UsageError
from poolrace.workers.workloads import make_workload


def sizes(schedule: Schedule, count: int, slots: int) -> list[int]:
    return list(schedule.sizes(count, slots))


# Worked by hand from the OpenMP API specification 5.2, section 11.5.3, Table 11.1.
@pytest.mark.parametrize(
    ("schedule", "count", "slots", "expected"),
    [
        # static: "chunks of approximately equal size, at most one chunk to each thread".
        (Static(), 10, 4, [3, 3, 2, 2]),
        (Static(), 8, 4, [2, 2, 2, 2]),
        (Static(), 3, 4, [1, 1, 1]),
        # static, chunk_size: "chunks of size chunk_size", the last one smaller.
        (Static(size=3), 10, 4, [3, 3, 3, 1]),
        (Static(parts=3), 10, 8, [4, 3, 3]),
        # dynamic: chunk_size "defaults to 1".
        (Dynamic(), 5, 2, [1, 1, 1, 1, 1]),
        (Dynamic(size=4), 10, 2, [4, 4, 2]),
        # guided, chunk_size 1: "proportional to the number of unassigned iterations divided
        # by the number of threads", decreasing to 1. 20/4=5, 15/4->4, 11/4->3, 8/4=2, 6/4->2,
        # 4/4=1, and so on.
        (Guided(), 20, 4, [5, 4, 3, 2, 2, 1, 1, 1, 1]),
        # guided, k: not fewer than k, but for the last chunk.
        (Guided(size=3), 20, 4, [5, 4, 3, 3, 3, 2]),
        (Guided(size=50), 20, 4, [20]),
    ],
)
def test_chunk_sizes_are_those_of_openmp(
    schedule: Schedule, count: int, slots: int, expected: list[int]
) -> None:
    assert sizes(schedule, count, slots) == expected


@given(
    name=st.sampled_from(SCHEDULES),
    start=st.integers(0, 10**6),
    count=st.integers(0, 3000),
    slots=st.integers(1, 200),
    chunk_size=st.none() | st.integers(1, 5000),
)
def test_every_schedule_covers_the_range_without_gap_or_overlap(
    name: str, start: int, count: int, slots: int, chunk_size: int | None
) -> None:
    schedule = ScheduleChoice(name, chunk_size=chunk_size).make(count)
    chunks = list(schedule.chunks(start, start + count, slots))
    assert all(len(chunk) > 0 for chunk in chunks)
    assert [i for chunk in chunks for i in range(chunk.start, chunk.stop)] == list(
        range(start, start + count)
    )


@given(count=st.integers(1, 10**9), chunks=st.integers(1, 500))
def test_the_option_chunks_sets_the_number_of_chunks(count: int, chunks: int) -> None:
    chunks = min(chunks, count)
    assert len(sizes(ScheduleChoice("static", chunks=chunks).make(count), count, 2)) == chunks
    assert len(sizes(ScheduleChoice("auto", chunks=chunks).make(count), count, 2)) == chunks
    assert len(sizes(ScheduleChoice("dynamic", chunks=chunks).make(count), count, 2)) <= chunks


def test_dynamic_without_a_size_limits_the_number_of_chunks() -> None:
    assert sizes(Dynamic(), MAX_DEFAULT_CHUNKS, 2) == [1] * MAX_DEFAULT_CHUNKS
    assert len(sizes(Dynamic(), 100_000_000, 2)) <= MAX_DEFAULT_CHUNKS


def simulated(
    index_s: float, count: int, slots: int, time_limit_s: float | None = None
) -> tuple[list[int], float, float]:
    """Simulate ideal slots with ``auto``; return sizes, idle share, messages per slot-second."""
    schedule = Auto(time_limit_s)
    free_at = [0.0] * slots
    sizes_cut = []
    for chunk in schedule.chunks(0, count, slots):
        sizes_cut.append(len(chunk))
        slot = free_at.index(min(free_at))
        duration_s = len(chunk) * index_s
        free_at[slot] += duration_s
        result = ChunkResult(chunk, 0, duration_s, duration_s, 0.0, "here", f"{slot}.0")
        schedule.observe(result, slots)
    end = max(free_at)
    idle = sum(end - at for at in free_at) / (slots * end)
    return sizes_cut, idle, len(sizes_cut) / sum(free_at)


@pytest.mark.parametrize("slots", [1, 2, 4, 8])
@pytest.mark.parametrize("index_s", [2e-8, 4e-8, 1e-6, 1e-3])
def test_auto_keeps_messages_rare_and_slots_busy_to_the_end(index_s: float, slots: int) -> None:
    """At 1 ms per message (measured), 20 messages per slot-second cost 2 %."""
    count = round(4.0 * slots / index_s)
    _, idle, messages_per_slot_s = simulated(index_s, count, slots)
    assert idle < 0.02
    assert messages_per_slot_s < 20


def test_auto_ends_with_short_chunks() -> None:
    sizes_cut, _, _ = simulated(4e-8, 100_000_000, 2)
    assert sizes_cut[0] == 1
    assert max(sizes_cut) > 4 * sizes_cut[-2]
    assert sizes_cut[-2] * 4e-8 == pytest.approx(SHORTEST_CHUNK_S, rel=0.01)


@pytest.mark.parametrize("limit_s", [0.004, 0.1, 1.0, 100.0])
def test_auto_cuts_chunks_well_below_their_time_limit(limit_s: float) -> None:
    sizes_cut, _, _ = simulated(4e-8, 100_000_000, 2, limit_s)
    assert max(sizes_cut) * 4e-8 <= limit_s / 4 + 4e-8
    assert max(sizes_cut) * 4e-8 <= LONGEST_CHUNK_S + 4e-8


@given(
    start=st.integers(0, 3000), count=st.integers(1, 17_000), slots=st.integers(1, 64),
    wait_s=st.sampled_from([0.0, 1e-4]),
)  # fmt: skip
def test_auto_keeps_chunks_short_where_indices_cost_ever_more(
    start: int, count: int, slots: int, wait_s: float
) -> None:
    """In virtual time: a slot computes a chunk for as long as its cost says."""
    job = Job(make_workload("factorial", {"wait_s": wait_s}), start, start + count)
    schedule = ScheduleChoice().make_for(job)
    unit_s = wait_s or 1e-9
    chunks = []
    for chunk in schedule.chunks(start, start + count, slots):
        duration_s = job.workload.cost(chunk.start, chunk.stop) * unit_s
        assert duration_s < LONGEST_CHUNK_S + job.workload.cost(chunk.stop - 1, chunk.stop) * unit_s
        schedule.observe(ChunkResult(chunk, 0, duration_s, duration_s, 0.0, "here", "1.0"), slots)
        chunks.append(chunk)
    if wait_s:  # the longest indices first; without waits, 0! and 1! may cost the same
        assert [chunk.stop for chunk in chunks[1:]] == [chunk.start for chunk in chunks[:-1]]
    assert sorted(chunks)[0].start == start
    assert (
        sum(map(len, chunks)) == len({i for c in chunks for i in range(c.start, c.stop)}) == count
    )


def test_a_schedule_for_a_job_follows_its_time_limit() -> None:
    job = Job(make_workload("sum", {}), 0, 10**8, time_limit_s=1.0)
    schedule = ScheduleChoice().make_for(job)
    chunks = schedule.chunks(0, 10**8, 2)
    for _ in range(20):
        chunk = next(chunks)
        seconds = len(chunk) * 1e-6
        schedule.observe(ChunkResult(chunk, 0, seconds, seconds, 0.0, "here", "1.0"), 1)
    assert seconds == pytest.approx(0.25, rel=0.01)


def test_auto_cuts_single_indices_if_an_index_takes_long() -> None:
    sizes_cut, _, _ = simulated(2.0, 50, 4)
    assert sizes_cut == [1] * 50


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (ScheduleChoice("static", chunks=5, chunk_size=5), "exclude each other"),
        (ScheduleChoice("static", chunks=50), "more than the 10 indices"),
        (ScheduleChoice("guided", chunks=5), "--chunk-size"),
        (ScheduleChoice("random"), "unknown"),
    ],
)
def test_contradicting_options_of_a_schedule_are_refused(
    choice: ScheduleChoice, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        choice.make(10)


def test_a_schedule_choice_is_printed_as_it_was_typed() -> None:
    assert str(ScheduleChoice("dynamic", chunk_size=10)) == "dynamic --chunk-size 10"


def test_chunks_are_in_ascending_order() -> None:
    assert list(Guided().chunks(5, 9, 2)) == [Chunk(5, 7), Chunk(7, 8), Chunk(8, 9)]
