"""The batches in flight: packing of chunks, and the record of each batch."""

import math
from collections import deque

import pytest

from poolrace.producer.executors.celery.in_flight import (
    AHEAD_BATCHES,
    BATCH_BYTES,
    BATCH_CHUNKS,
    BATCH_S,
    BATCH_SHARE,
    CHUNK_S,
    SHARED_S,
    SINGLE_CHUNKS,
    SLOW_FACTOR,
    SLOW_S,
    InFlight,
    describe,
    parts_of,
)
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.runtime.presence import Presence

CHUNK = Chunk(0, 10)
BATCH = (CHUNK,)


@pytest.fixture
def worker() -> Presence:
    return Presence("solo@here", "solo", 1, 1, "2026-01-01", HostFacts.collect("here"))


@pytest.fixture
def in_flight() -> InFlight:
    """One batch in flight, sent at 0 s as task "a"."""
    in_flight = InFlight()
    in_flight.mark_sent("a", BATCH, now=0.0)
    return in_flight


def result(chunk: Chunk, duration_s: float, value: int = 1) -> ChunkResult:
    return ChunkResult(chunk, value, duration_s, duration_s, 0.0, "here", "1.0")


def finish(in_flight: InFlight, task_id: str, duration_s: float, value: int = 1) -> None:
    batch = in_flight.get(task_id)
    assert batch is not None
    results = [result(chunk, duration_s, value) for chunk in batch.chunks]
    in_flight.mark_done(batch, results, now=batch.sent_at + duration_s)


def test_a_batch_is_unseen_since_it_was_sent(in_flight: InFlight) -> None:
    assert in_flight.unseen_for(3.0, now=3.0) == []
    assert [batch.task_id for batch in in_flight.unseen_for(3.0, now=3.1)] == ["a"]


def test_a_batch_that_is_seen_or_sent_again_is_unseen_since_then(
    in_flight: InFlight, worker: Presence
) -> None:
    [batch] = in_flight
    in_flight.mark_seen(batch, None, 3.0)
    assert in_flight.unseen_for(3.0, now=6.0) == []
    in_flight.mark_seen(batch, worker, 6.0)
    assert in_flight.unseen_for(3.0, now=9.0) == []
    in_flight.mark_sent("a", BATCH, now=20.0)
    assert in_flight.unseen_for(3.0, now=23.0) == []
    assert in_flight.unseen_for(3.0, now=23.1) == [batch]


def test_excluded_time_does_not_count_as_unseen(in_flight: InFlight) -> None:
    in_flight.exclude_time(-5.0)
    in_flight.exclude_time(10.0)
    assert in_flight.unseen_for(3.0, now=13.0) == []
    assert len(in_flight.unseen_for(3.0, now=13.1)) == 1


def test_a_batch_is_held_since_a_worker_was_first_seen_with_it(
    in_flight: InFlight, worker: Presence
) -> None:
    [batch] = in_flight
    for now in (1.0, 2.0, 3.0):
        in_flight.mark_seen(batch, worker, now)
    assert batch.held_since == 1.0


def test_a_batch_that_is_done_is_not_in_flight(in_flight: InFlight) -> None:
    [batch] = in_flight
    in_flight.mark_done(batch, [result(CHUNK, duration_s=1.0)], now=1.0)
    in_flight.mark_done(batch, [result(CHUNK, duration_s=1.0)], now=1.0)
    assert len(in_flight) == 0
    assert in_flight.get("a") is None


def test_a_batch_is_slow_after_twice_the_time_that_the_mean_pace_gives_it(
    in_flight: InFlight,
) -> None:
    twice_as_long = in_flight.mark_sent("b", (Chunk(10, 30),), now=0.0)
    assert in_flight.slow(100.0, most=1) == []  # no result yet
    finish(in_flight, "a", duration_s=1.0)
    slow_at = SLOW_FACTOR * 2.0 + SLOW_S
    assert in_flight.slow(slow_at - 0.01, most=1) == []
    assert in_flight.slow(slow_at + 0.01, most=1) == [twice_as_long]


def test_a_batch_that_was_seen_in_the_queue_is_slow_only_later(in_flight: InFlight) -> None:
    other = in_flight.mark_sent("b", (Chunk(10, 20),), now=0.0)
    finish(in_flight, "a", duration_s=1.0)
    slow_after_s = SLOW_FACTOR * 1.0 + SLOW_S
    in_flight.mark_seen(other, None, 5.0)
    in_flight.exclude_time(10.0)
    assert in_flight.slow(15.0 + slow_after_s - 0.01, most=1) == []
    assert in_flight.slow(15.0 + slow_after_s + 0.01, most=1) == [other]


def waiting(count: int, size: int = 10) -> deque[Chunk]:
    return deque(Chunk(size * number, size * number + size) for number in range(count))


def test_before_any_result_each_chunk_has_a_batch_of_its_own() -> None:
    assert InFlight().next_batch(waiting(1000), slots=2) == BATCH


def test_short_chunks_share_a_batch_as_long_as_it_stays_short() -> None:
    in_flight = InFlight()
    for number in range(30):
        in_flight.mark_sent(str(number), BATCH, now=0.0)
        finish(in_flight, str(number), duration_s=BATCH_S / 9.5)
    remaining = waiting(1000)
    assert len(in_flight.next_batch(remaining, slots=2)) == 9
    assert len(remaining) == 991


def test_a_batch_has_a_limited_number_of_chunks() -> None:
    in_flight = InFlight()
    for number in range(30):
        in_flight.mark_sent(str(number), BATCH, now=0.0)
        finish(in_flight, str(number), duration_s=0.0)
    assert len(in_flight.next_batch(waiting(100_000), slots=2)) == BATCH_CHUNKS


def fast(duration_s: float, total_cost: float = math.inf) -> InFlight:
    """No batch in flight; all batches so far, of 100 indices in 10 chunks, took this time."""
    in_flight = InFlight(total_cost=total_cost)
    for number in range(30):
        in_flight.mark_sent(str(number), BATCH, now=0.0)
        finish(in_flight, str(number), duration_s=duration_s)
    return in_flight


def test_chunks_that_take_no_time_fill_batches_also_while_slots_are_idle() -> None:
    length = len(fast(0.0).next_batch(waiting(4000), slots=100))
    assert length == pytest.approx(SHARED_S / CHUNK_S, abs=1)


def test_no_batch_of_several_chunks_has_more_than_a_part_of_what_is_left_for_a_slot() -> None:
    """However cheap the first indices were: the others may take a thousand times as long."""
    slots, chunks = 4, waiting(100)
    in_flight = fast(0.0, total_cost=len(chunks) * 10)
    while chunks:
        left = len(chunks)
        batch = in_flight.next_batch(chunks, slots)
        assert len(batch) == max(int(left * BATCH_SHARE / slots), 1)
        in_flight.mark_sent("next", batch, now=1.0)
        finish(in_flight, "next", duration_s=0.0)


@pytest.mark.parametrize(("hosts", "length"), [(1, 50), (2, 25), (5, 10), (50, 10)])
def test_short_batches_have_a_part_of_what_is_done_to_the_end(hosts: int, length: int) -> None:
    """Each host handles its own messages, the producer handles all."""
    in_flight = InFlight(total_cost=100)
    in_flight.mark_sent("done", (Chunk(0, 10_000),), now=0.0)
    finish(in_flight, "done", duration_s=0.0)
    chunks = waiting(100, size=1)
    assert len(in_flight.next_batch(chunks, slots=1000, hosts=hosts)) == length


def test_short_chunks_wait_until_they_fill_a_batch_while_each_slot_has_a_batch_queued() -> None:
    in_flight = fast(0.0)
    few = waiting(10)
    assert in_flight.next_batch(few, slots=2, unsent=AHEAD_BATCHES * 2) == ()
    assert len(few) == 10
    assert len(in_flight.next_batch(few, slots=2, unsent=AHEAD_BATCHES * 2 - 1)) == 10


def test_long_chunks_never_wait_for_more_chunks() -> None:
    few = waiting(1)
    assert len(fast(BATCH_S).next_batch(few, slots=2, unsent=100)) == 1


@pytest.mark.parametrize("count", [1, 2, SINGLE_CHUNKS, SINGLE_CHUNKS + 1, BATCH_CHUNKS])
def test_a_batch_that_is_lost_twice_becomes_single_chunks(count: int) -> None:
    batch = tuple(waiting(count))
    parts = parts_of(batch)
    assert tuple(chunk for part in parts for chunk in part) == batch
    assert len(parts) <= SINGLE_CHUNKS
    assert all(len(single) == 1 for part in parts for single in parts_of(part))


def test_idle_slots_share_the_waiting_chunks_evenly() -> None:
    in_flight = InFlight()
    for number in range(30):
        in_flight.mark_sent(str(number), BATCH, now=0.0)
        finish(in_flight, str(number), duration_s=BATCH_S / 10)
    assert len(in_flight.next_batch(waiting(6), slots=2)) == 3


def test_long_chunks_share_no_batch_even_after_short_ones() -> None:
    in_flight = InFlight()
    in_flight.mark_sent("a", (Chunk(0, 1),), now=0.0)
    finish(in_flight, "a", duration_s=0.001)
    assert len(in_flight.next_batch(waiting(10, size=1_000_000), slots=1)) == 1


def test_chunks_with_large_values_share_no_batch(in_flight: InFlight) -> None:
    finish(in_flight, "a", duration_s=0.0, value=1 << (4 * BATCH_BYTES))
    assert len(in_flight.next_batch(waiting(1000), slots=1)) == 1


def test_the_description_of_a_batch_names_its_range() -> None:
    assert describe((Chunk(0, 5),)) == "[0, 5)"
    assert describe((Chunk(0, 5), Chunk(5, 9))) == "[0, 9) in 2 chunks"
