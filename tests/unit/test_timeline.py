"""The timeline of a run: chunks are placed on the rows of their slots."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from poolrace.producer.analysis.timeline import MAX_BARS, placed, timeline_of
from poolrace.producer.analysis.utilisation import MAX_BINS, MAX_ROWS, UtilisationSum
from poolrace.producer.results.run import (
    ChunkRecord,
    Event,
    Run,
    SlotShare,
    Utilisation,
    UtilisationRow,
)
from tests.unit.made_up_timelines import a_run, large, record

SECONDS = st.floats(0, 10, allow_nan=False)

RECORDS = st.lists(
    st.builds(
        record,
        st.sampled_from(["1", "2", "10"]),
        SECONDS,
        SECONDS,
        st.none() | SECONDS,
        host=st.sampled_from(["a", "b2", "b10"]),
    ),
    max_size=40,
)


def test_chunks_of_one_batch_arrive_together_and_are_placed_one_after_the_other() -> None:
    spans = [(began, ended) for _, began, ended in placed([record("1", 1.0, 0.25)] * 3)]
    assert spans == [(0.25, 0.5), (0.5, 0.75), (0.75, 1.0)]


def test_no_chunk_begins_before_it_was_sent() -> None:
    assert placed([record("1", 1.0, 0.75, sent_s=0.5)])[0][1] == 0.5


@given(RECORDS)
def test_chunks_lie_within_the_run_and_do_not_overlap_in_a_slot(records: list[ChunkRecord]) -> None:
    timeline = timeline_of(a_run(records, elapsed_s=8.0))
    assert len(timeline.bars) == len(records)
    last_s = [0.0] * len(timeline.rows)
    for bar in timeline.bars:
        assert last_s[bar.row] <= bar.began_s <= bar.ended_s <= 8.0
        last_s[bar.row] = bar.ended_s


@given(RECORDS)
def test_rows_are_in_natural_order_of_hosts_and_slots(records: list[ChunkRecord]) -> None:
    rows = [(row.host, row.slot) for row in timeline_of(a_run(records)).rows]
    hosts, slots = ["a", "b2", "b10"], ["1", "2", "10"]
    assert rows == sorted(rows, key=lambda row: (hosts.index(row[0]), slots.index(row[1])))


def test_slots_are_rows_with_their_idle_time() -> None:
    timeline = timeline_of(a_run([record("10", 1.0, 0.5), record("2", 1.5, 1.5)]))
    assert [(row.slot, row.idle_s) for row in timeline.rows] == [("2", 0.5), ("10", 1.5)]
    assert timeline.whole
    assert timeline.bands == []


def test_a_file_of_an_older_version_has_a_bar_for_each_of_its_first_chunks() -> None:
    old = a_run([record("1", 0.5, 0.5, None), record("1", 1.0, 0.5, None)], chunks=5)
    timeline = timeline_of(old)
    assert len(timeline.bars) == 2
    assert not timeline.whole
    assert timeline.bands == []
    assert [row.idle_s for row in timeline.rows] == [None]


def test_a_run_of_format_4_has_a_timeline_of_its_records() -> None:
    stored = a_run([record("1", 0.5, 0.5), record("1", 1.0, 0.25)]).to_json()
    del stored["utilisation"]
    for chunk in stored["records"]:
        for field in ("sent_s", "cpu_s", "waited_s", "mark"):
            del chunk[field]
    timeline = timeline_of(Run.from_json(stored))
    assert [(bar.began_s, bar.ended_s) for bar in timeline.bars] == [(0.0, 0.5), (0.75, 1.0)]
    assert timeline.whole


def test_a_run_with_more_chunks_than_records_has_bands_of_the_whole_run() -> None:
    timeline = timeline_of(large(number_of_slots=10, chunks=10_000))
    assert not timeline.whole
    assert max(band.to_s for band in timeline.bands) == timeline.elapsed_s
    assert {row.idle_s for row in timeline.rows} == {None}


def test_bars_beyond_the_limit_are_left_out_evenly() -> None:
    records = [record("1", 0.001 * number, 0.001) for number in range(2 * MAX_BARS)]
    timeline = timeline_of(a_run(records, elapsed_s=3.0))
    assert len(timeline.bars) == MAX_BARS
    assert timeline.bars[-1].ended_s > 2.9
    assert not timeline.whole


def test_a_run_with_more_slots_than_rows_has_bands_per_host() -> None:
    parts = {"cpu_s": 0.5, "waited_s": 0.5}
    records = [record(str(number), 2.0, 2.0, **parts) for number in range(MAX_ROWS + 1)]
    timeline = timeline_of(a_run(records))
    assert [(row.host, row.slot) for row in timeline.rows] == [("a", "")]
    assert not timeline.whole
    assert {round(band.utilisation, 6) for band in timeline.bands} == {0.5}


def test_bands_of_older_files_count_busy_seconds_of_slots_instead_of_durations() -> None:
    records = [record(str(number), 2.0, 2.0, None) for number in range(MAX_ROWS + 1)]
    shares = {"a": {chunk.slot: SlotShare(1, 1, busy_s=0.5) for chunk in records}}
    timeline = timeline_of(a_run(records, shares=shares))
    assert {round(band.utilisation, 6) for band in timeline.bands} == {0.25}


def test_the_utilisation_of_hosts_makes_rows_of_hosts() -> None:
    rows = [UtilisationRow("a", "", [0.5, 2.0]), UtilisationRow("b", "", [0.0, 0.5])]
    records = [record("1", 1.0, 1.0), record("2", 1.0, 1.0), record("1", 1.0, 1.0, host="b")]
    run = a_run(records, chunks=9, elapsed_s=1.5, utilisation=Utilisation(1.0, rows))
    timeline = timeline_of(run)
    assert [row.label for row in timeline.rows] == ["a: 2 slots", "b: 1 slots"]
    bands = [(band.row, band.to_s, band.utilisation) for band in timeline.bands]
    assert bands == [(0, 1.0, 0.25), (0, 1.5, 1.0), (1, 1.0, 0.0), (1, 1.5, 1.0)]


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
    assert abs(sum(map(sum, (row.busy_s for row in stored.rows))) - 750) < 1e-2
