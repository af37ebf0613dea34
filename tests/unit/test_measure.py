"""A run is measured after a warm-up: the clock starts once the slots have answered."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolrace.producer.executors.single import Single
from poolrace.producer.experiments.measure import measure
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import Dynamic
from poolrace.workers.chunks import Chunk
from poolrace.workers.errors import ClusterError
from poolrace.workers.host_facts import HostFacts, usable_cores
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
    """``single`` that claims any number of slots, and keeps the empty chunks of the warm-up."""

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


@pytest.mark.parametrize(("cores", "quota"), [(4, None), (64, 4.0)])
def test_the_efficiency_of_computing_is_that_of_the_cores(cores: int, quota: float | None) -> None:
    """200 slots that compute cannot use more than the cores."""
    job = Job(make_workload("mixed", {"cpu_s": 0.005, "wait_s": 0.0}), 0, 10)
    executor = WatchedExecutor(job, slots=200)
    executor.hosts = [replace(executor.hosts[0], cores=cores, cpu_quota=quota)]
    run = measure(job, executor, Dynamic(size=1), expected=job.expected())
    assert run.efficiency == pytest.approx(run.busy_s / (4 * run.elapsed_s), rel=0.2)


def test_the_efficiency_of_waiting_is_that_of_the_slots() -> None:
    job = Job(make_workload("mixed", {"cpu_s": 0.0, "wait_s": 0.01}), 0, 10)
    run = measure(job, WatchedExecutor(job, 4), Dynamic(size=1), expected=job.expected())
    assert run.efficiency == pytest.approx(run.busy_s / (4 * run.elapsed_s), rel=0.2)


def test_hosts_of_one_machine_share_its_cores_within_their_quotas() -> None:
    host = replace(HostFacts.collect("one"), machine="m", cores=2, cpu_quota=None)
    limited = replace(host, cpu_quota=0.2)
    assert usable_cores([host, replace(host, host="two")]) == 2
    assert usable_cores([host, replace(host, machine="n", cores=8)]) == 10
    assert usable_cores([limited] * 3) == pytest.approx(0.6)
    assert usable_cores([limited] * 30) == 2
