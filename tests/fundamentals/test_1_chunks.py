"""Read me first: work is cut into chunks.

A *chunk* is a half-open range of indices, and the unit of dispatch: one chunk is sent to one slot.
A *schedule* cuts a range into chunks. The names of the schedules are OpenMP's.
"""

from poolrace.producer.jobs.schedules import Dynamic, Guided, Static
from poolrace.workers.chunks import Chunk


def test_a_chunk_is_a_half_open_range_of_indices() -> None:
    chunk = Chunk(10, 14)
    assert list(range(chunk.start, chunk.stop)) == [10, 11, 12, 13]
    assert len(chunk) == 4
    assert str(chunk) == "[10, 14)"


def test_static_cuts_one_equal_part_per_slot() -> None:
    parts = list(Static().chunks(0, 100_000_000, slots=2))
    assert parts == [Chunk(0, 50_000_000), Chunk(50_000_000, 100_000_000)]


def test_dynamic_cuts_chunks_of_one_size_for_free_slots() -> None:
    assert list(Dynamic(size=3).chunks(0, 8, slots=2)) == [Chunk(0, 3), Chunk(3, 6), Chunk(6, 8)]


def test_guided_begins_with_large_chunks_and_ends_with_small_ones() -> None:
    assert [len(chunk) for chunk in Guided().chunks(0, 16, slots=2)] == [8, 4, 2, 1, 1]
