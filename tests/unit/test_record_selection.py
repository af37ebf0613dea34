"""A run stores a bounded number of records, which cover the whole run."""

from hypothesis import given
from hypothesis import strategies as st

from poolrace.producer.experiments.record_selection import (
    MAX_LONGEST,
    MAX_MARKED,
    MAX_RECORDS,
    RecordSelection,
)
from poolrace.producer.results.run import ChunkMark, ChunkRecord

CHUNKS = 10 * MAX_RECORDS
"""Number of chunks of a run with more chunks than it stores records."""


def record(number: int, duration_s: float = 0.1, mark: ChunkMark = "") -> ChunkRecord:
    return ChunkRecord(number, number + 1, "h", "1.0", float(number), duration_s, 0, 0, mark=mark)


def selected(chunks: int, marked: set[int], long: set[int]) -> list[ChunkRecord]:
    """The records that a run of ``chunks`` chunks stores."""
    selection = RecordSelection()
    for number in range(chunks):
        mark: ChunkMark = "resent" if number in marked else ""
        duration_s = 5.0 + number if number in long else 0.1
        if selection.wants(duration_s, mark):
            selection.add(record(number, duration_s, mark))
    return selection.records()


def test_a_run_with_few_chunks_stores_all_of_them() -> None:
    records = selected(MAX_RECORDS, {3}, {5})
    assert [each.start for each in records] == list(range(MAX_RECORDS))


@given(chunks=st.integers(MAX_RECORDS + 1, CHUNKS), data=st.data())
def test_a_run_with_many_chunks_stores_records_of_all_its_parts(
    chunks: int, data: st.DataObject
) -> None:
    numbers = st.sets(st.integers(0, chunks - 1), max_size=MAX_LONGEST)
    marked, long = data.draw(numbers), data.draw(numbers)
    starts = [each.start for each in selected(chunks, marked, long)]
    assert starts == sorted(set(starts))
    assert marked | long <= set(starts)
    assert MAX_RECORDS / 2 < len(starts) <= MAX_RECORDS + MAX_MARKED + MAX_LONGEST
    gaps = [after - before for before, after in zip(starts, [*starts[1:], chunks], strict=True)]
    assert starts[0] == 0
    assert max(gaps) <= 2 * chunks / MAX_RECORDS


def test_the_longest_chunks_are_stored_wherever_they_are() -> None:
    records = selected(CHUNKS, set(), set(range(1, CHUNKS, 7)))
    longest = range(1, CHUNKS, 7)[-MAX_LONGEST:]
    assert set(longest) <= {each.start for each in records}


def test_marked_chunks_are_thinned_if_there_are_very_many() -> None:
    records = selected(CHUNKS, set(range(1, CHUNKS, 2)), set())
    marked = [each.start for each in records if each.mark]
    assert MAX_MARKED / 2 < len(marked) <= MAX_MARKED + MAX_LONGEST
    assert marked[0] < CHUNKS / 10
    assert marked[-1] > CHUNKS * 9 / 10


def test_duplicates_are_stored_besides_all_chunks() -> None:
    selection = RecordSelection()
    for number in range(MAX_RECORDS):
        assert selection.wants(0.1, "")
        selection.add(record(number))
        if number == 5:
            selection.add_duplicate(record(number, mark="duplicate"))
    marks = [each.mark for each in selection.records()]
    assert len(marks) == MAX_RECORDS + 1
    assert marks.index("duplicate") == 6
