"""The timeline of a run: chunks are placed on the rows of their slots."""

from dataclasses import replace
from pathlib import Path

from poolrace.producer.analysis.timeline import MAX_ROWS, natural_key, placed, timeline_of
from poolrace.producer.analysis.utilisation import MAX_BINS, UtilisationSum
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import load
from poolrace.producer.results.run import ChunkRecord, Event, Run, SlotShare

EXAMPLE = Path(__file__).parents[2] / "docs/examples/compare.json"


def a_run(records: list[ChunkRecord], chunks: int | None = None) -> Run:
    stored = load(EXAMPLE)
    assert isinstance(stored, Comparison)
    shares: dict[str, dict[str, SlotShare]] = {}
    for record in records:
        shares.setdefault(record.host, {}).setdefault(record.slot, SlotShare())
    chunks = len(records) if chunks is None else chunks
    return replace(
        stored.runs[0], records=records, shares=shares, chunks=chunks, elapsed_s=2.0, events=[]
    )


def record(slot: str, arrived_s: float, duration_s: float, sent_s: float = 0.0) -> ChunkRecord:
    return ChunkRecord(0, 1, "a", slot, arrived_s, duration_s, 1, 1, sent_s)


def test_chunks_of_one_batch_arrive_together_and_are_placed_one_after_the_other() -> None:
    spans = [(began, ended) for _, began, ended in placed([record("1", 1.0, 0.25)] * 3)]
    assert spans == [(0.25, 0.5), (0.5, 0.75), (0.75, 1.0)]


def test_no_chunk_begins_before_it_was_sent() -> None:
    assert placed([record("1", 1.0, 0.75, sent_s=0.5)])[0][1] == 0.5


def test_slots_are_rows_in_natural_order_with_their_idle_time() -> None:
    timeline = timeline_of(a_run([record("10", 1.0, 0.5), record("2", 1.5, 1.5)]))
    assert [(row.slot, row.idle_s) for row in timeline.rows] == [("2", 0.5), ("10", 1.5)]
    assert timeline.whole
    assert timeline.bands == []


def test_a_run_with_more_slots_than_rows_has_bands_per_host() -> None:
    records = [record(str(number), 2.0, 2.0) for number in range(MAX_ROWS + 1)]
    timeline = timeline_of(a_run(records))
    assert [(row.host, row.slot) for row in timeline.rows] == [("a", "")]
    assert not timeline.whole
    assert {round(band.utilisation, 6) for band in timeline.bands} == {1.0}


def test_the_mark_of_an_event_is_on_the_first_row_of_its_host() -> None:
    run = a_run([record("1", 1.0, 0.5)])
    events = [Event(0.5, "a left", "left", "a"), Event(0.25, "restored", "reconnected")]
    marks = timeline_of(replace(run, events=events)).marks
    assert [(mark.kind, mark.row) for mark in marks] == [("reconnected", None), ("left", 0)]


def test_the_sum_of_busy_seconds_is_kept_when_bins_double_and_rows_merge() -> None:
    total = UtilisationSum()
    for number in range(3000):
        began_s = number * 0.01
        total.add(f"host{number % 70}", str(number % 1000), began_s, began_s + 0.5, 0.25)
    stored = total.total(31.0)
    assert len(stored.rows) == 1
    assert max(len(row.busy_s) for row in stored.rows) <= MAX_BINS
    assert abs(sum(map(sum, (row.busy_s for row in stored.rows))) - 750) < 1e-6


def test_numbers_in_names_are_sorted_by_value() -> None:
    assert sorted(["s10", "s2", "28297.10", "28297.2"], key=natural_key) == [
        "28297.2", "28297.10", "s2", "s10",
    ]  # fmt: skip
