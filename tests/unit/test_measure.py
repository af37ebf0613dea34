"""A run is measured after a warm-up: the clock starts once the slots have answered."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolrace.producer.executors.single import Single
from poolrace.producer.experiments.measure import measure
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import Dynamic
from poolrace.workers.chunks import Chunk
from poolrace.workers.errors import ClusterError
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.workloads import make_workload

JOB = Job(make_workload("sum", {}), 0, 100)


class PartlySilentExecutor(Single):
    """``single`` with three slots, of which the first ``silent`` ones never answer the warm-up."""

    def __init__(self, silent: int) -> None:
        super().__init__(JOB, 3, HostFacts.collect("here"))
        self.silent = silent

    def submit(self, chunks: Sequence[Chunk]) -> None:
        warm = [chunk for chunk in chunks if len(chunk) or chunk.start >= self.silent]
        super().submit(warm)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QUIET_S", "WARM_UP_S"):
        monkeypatch.setattr(f"poolrace.producer.experiments.measure.{name}", 0.05)


def test_a_run_starts_without_the_slots_that_do_not_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    run = measure(JOB, PartlySilentExecutor(silent=2), Dynamic(size=10), expected=JOB.expected())
    assert run.exact
    assert "2 of 3 slots did not answer in time" in caplog.text


def test_a_run_does_not_start_if_no_slot_answers() -> None:
    with pytest.raises(ClusterError, match="none of 3 slots answered"):
        measure(JOB, PartlySilentExecutor(silent=3), Dynamic(size=10), expected=JOB.expected())


def test_a_run_starts_without_a_warning_if_all_slots_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert measure(
        JOB, PartlySilentExecutor(silent=0), Dynamic(size=10), expected=JOB.expected()
    ).exact
    assert not caplog.text


class WatchedExecutor(Single):
    """``single`` with any number of slots, which keeps the empty chunks of the warm-up."""

    def __init__(self, job: Job, slots: int) -> None:
        super().__init__(job, slots, HostFacts.collect("here"))
        self.empty: list[Chunk] = []

    def submit(self, chunks: Sequence[Chunk]) -> None:
        self.empty += [chunk for chunk in chunks if not len(chunk)]
        super().submit(chunks)


@given(start=st.integers(0, 10**6), count=st.integers(0, 70), slots=st.integers(1, 300))
def test_the_warm_up_stays_within_the_range_of_the_job(start: int, count: int, slots: int) -> None:
    """Workers refuse a chunk outside of the range, and no two chunks may be equal."""
    job = Job(make_workload("sum", {}), start, start + count)
    executor = WatchedExecutor(job, slots)
    assert measure(job, executor, Dynamic(size=7), expected=job.expected()).exact
    assert len(set(executor.empty)) == len(executor.empty) == min(slots, 64, max(count, 1))
    for chunk in executor.empty:
        job.workload.check(chunk.start, chunk.stop)
        assert start <= chunk.start <= chunk.stop <= start + count
