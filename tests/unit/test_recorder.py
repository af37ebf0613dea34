"""A recorder places the chunks of a run on the producer's clock, in bounded memory."""

from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolrace.producer.analysis.utilisation import DIGITS, MAX_ROWS
from poolrace.producer.executors.single import Single
from poolrace.producer.experiments import recorder as module
from poolrace.producer.experiments.recorder import RunRecorder
from poolrace.producer.jobs.job import Job
from poolrace.producer.results.run import ChunkMark, UntimedEvent
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.workloads import make_workload

JOB = Job(make_workload("sum", {}), 0, 10**9)
FIRST, SECOND, THIRD = Chunk(0, 5), Chunk(5, 9), Chunk(9, 12)


class Clock:
    """The producer's clock, which the test sets."""

    now = 100.0

    def perf_counter(self) -> float:
        return self.now


class MarkingExecutor(Single):
    """``single`` with marks and events that the test sets."""

    def __init__(self) -> None:
        super().__init__(JOB, 1, HostFacts.collect("here"))
        self.marks: dict[Chunk, ChunkMark] = {}
        self.happened: list[UntimedEvent] = []

    def take_marks(self) -> Mapping[Chunk, ChunkMark]:
        return self.marks

    def take_events(self) -> list[UntimedEvent]:
        events, self.happened = self.happened, []
        return events


def result(chunk: Chunk, duration_s: float, slot: str = "1.0") -> ChunkResult:
    """A result of a chunk that computed half of its time and waited a quarter of it."""
    return ChunkResult(chunk, 7, duration_s, duration_s / 2, duration_s / 4, "here", slot)


@pytest.fixture(name="clock")
def _clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture(name="executor")
def _executor() -> MarkingExecutor:
    return MarkingExecutor()


def test_a_record_has_the_times_and_the_mark_of_its_chunk(
    clock: Clock, executor: MarkingExecutor
) -> None:
    recorder = RunRecorder(executor)
    recorder.start()
    executor.marks = {FIRST: "resent"}
    clock.now = 103.0
    recorder.collected([result(FIRST, 2.0)])
    recorder.counted(JOB.ledger(), result(FIRST, 2.0), sent_at=100.5)
    recorder.stop()
    [record] = recorder.records
    assert (record.sent_s, record.arrived_s, record.duration_s) == (0.5, 3.0, 2.0)
    assert (record.cpu_s, record.waited_s, record.mark) == (1.0, 0.5, "resent")


def test_the_chunks_of_a_batch_are_busy_one_after_the_other(
    clock: Clock, executor: MarkingExecutor
) -> None:
    """Their results arrive together; a duplicate among them took its part of the time."""
    recorder = RunRecorder(executor)
    recorder.start()
    clock.now = 104.0
    batch = [result(FIRST, 1.0), result(SECOND, 1.0), result(THIRD, 1.0)]
    recorder.collected([*batch, result(Chunk(20, 21), 2.0, slot="2.0")])
    recorder.counted(JOB.ledger(), batch[0], 100.0)
    recorder.duplicate(JOB.ledger(), batch[1])
    recorder.counted(JOB.ledger(), batch[2], 100.0)
    recorder.counted(JOB.ledger(), result(Chunk(20, 21), 2.0, slot="2.0"), 100.0)
    recorder.stop()
    utilisation = recorder.utilisation
    rows = {row.slot: row.busy_s for row in utilisation.rows}
    edges = [round(second / utilisation.bin_s) for second in range(5)]
    seconds = {
        slot: [sum(row[first:last]) for first, last in pairwise(edges)]
        for slot, row in rows.items()
    }
    assert seconds["1.0"] == pytest.approx([0.0, 0.75, 0.0, 0.75], abs=0.1)
    assert seconds["2.0"] == pytest.approx([0.0, 0.0, 0.75, 0.75], abs=0.1)
    assert [record.mark for record in recorder.records] == ["", "duplicate", "", ""]
    assert recorder.chunks == 3


def test_events_have_the_time_at_which_the_producer_learnt_of_them(
    clock: Clock, executor: MarkingExecutor
) -> None:
    recorder = RunRecorder(executor)
    recorder.start()
    clock.now, executor.happened = 101.5, [UntimedEvent("h joined", "joined", "h")]
    recorder.collected([])
    [event] = recorder.events
    assert (event.at_s, event.what, event.kind, event.host) == (1.5, "h joined", "joined", "h")


Arrivals = st.lists(
    st.tuples(
        st.floats(0.0, 50.0),  # seconds since the last arrival
        st.lists(st.tuples(st.floats(0.0, 60.0), st.integers(0, 90)), max_size=4),
    ),
    max_size=30,
)
"""Times of arrival, each with the durations and slots of the results that arrive together."""


@given(Arrivals)
def test_the_utilisation_adds_up_to_the_busy_seconds(
    arrivals: list[tuple[float, list[tuple[float, int]]]],
) -> None:
    """However late results arrive, and however many slots there are."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        clock = Clock()
        monkeypatch.setattr(module, "time", clock)
        recorder = RunRecorder(MarkingExecutor())
        recorder.start()
        for after_s, batch in arrivals:
            clock.now += after_s
            results = [result(FIRST, duration_s, f"{slot}.0") for duration_s, slot in batch]
            recorder.collected(results)
            for each in results:
                recorder.counted(JOB.ledger(), each, 100.0)
        clock.now += 1.0
        recorder.stop()
    utilisation = recorder.utilisation
    stored_s = sum(seconds for row in utilisation.rows for seconds in row.busy_s)
    bins = sum(len(row.busy_s) for row in utilisation.rows)
    assert stored_s == pytest.approx(recorder.busy_s, abs=bins * 10**-DIGITS)
    assert len(utilisation.rows) <= MAX_ROWS
    for row in utilisation.rows:
        assert recorder.elapsed_s <= len(row.busy_s) * utilisation.bin_s + 1e-9
        assert min(row.busy_s) >= 0.0
