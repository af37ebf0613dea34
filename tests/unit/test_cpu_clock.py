"""The CPU time of a chunk is that of its thread, although the thread's clock is read rarely."""

from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from poolrace.workers import compute as module
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.compute import READ_CPU_S, take_slot
from poolrace.workers.workloads.base import Steps, Workload

CALL_S = 1e-6
"""Seconds between two readings of the made-up wall clock."""


@dataclass
class Clock:
    """A made-up wall clock, and the CPU clock of a thread."""

    wall_s: float = 100.0
    lost_s: float = 0.0
    """Seconds for which other threads had the core."""
    readings: int = 0
    """Number of times that the CPU clock was read."""

    def perf_counter(self) -> float:
        self.wall_s += CALL_S
        return self.wall_s

    def thread_time(self) -> float:
        self.readings += 1
        return self.wall_s - self.lost_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@dataclass(frozen=True)
class Timed(Workload):
    """Computes each index for a time, while it loses the core for another one; then waits."""

    name: ClassVar[str] = "timed"
    title: ClassVar[str] = "made up"
    default_range: ClassVar[tuple[int, int]] = (0, 1)
    limit: ClassVar[int] = 10**6

    clock: Clock = field(default_factory=Clock)
    computes_s: float = 0.0
    loses_s: float = 0.0
    waits_s: float = 0.0

    def steps(self, start: int, stop: int) -> Steps:
        for _ in range(start, stop):
            self.clock.wall_s += self.computes_s + self.loses_s
            self.clock.lost_s += self.loses_s
            yield self.waits_s
        return start

    def expected(self, start: int, stop: int) -> int:
        raise NotImplementedError


def results_of(workload: Timed, chunks: int) -> list[ChunkResult]:
    """The results of as many chunks of one index, computed one after the other in a slot."""

    def sleep(seconds: float) -> None:
        workload.clock.wall_s += seconds
        workload.clock.lost_s += seconds / 2  # other greenlets compute meanwhile

    with take_slot() as slot:
        return [
            slot.compute(workload, Chunk(index, index + 1), "here", sleep=sleep)
            for index in range(chunks)
        ]


def test_all_time_of_a_chunk_of_some_microseconds_is_cpu_time(clock: Clock) -> None:
    results = results_of(Timed(clock, computes_s=2e-6), 1000)
    for result in results:
        assert result.cpu_s == pytest.approx(result.duration_s, abs=1e-9)


def test_the_cpu_clock_is_read_once_a_millisecond_during_short_chunks(clock: Clock) -> None:
    began = clock.wall_s
    results_of(Timed(clock, computes_s=2e-6), 1000)
    assert clock.readings <= 2 + (clock.wall_s - began) / READ_CPU_S


def test_time_in_which_the_chunk_did_not_have_the_core_is_no_cpu_time(clock: Clock) -> None:
    results = results_of(Timed(clock, computes_s=0.001, loses_s=0.01), 3)
    for result in results:
        assert result.cpu_s == pytest.approx(0.001, abs=5 * CALL_S)
        assert result.duration_s == pytest.approx(0.011, abs=5 * CALL_S)


def test_time_of_other_greenlets_during_a_wait_is_no_cpu_time(clock: Clock) -> None:
    results = results_of(Timed(clock, computes_s=0.001, waits_s=1.3), 2)
    for result in results:
        assert result.cpu_s == pytest.approx(0.001, abs=10 * CALL_S)
        assert result.waited_s == 1.3
        assert result.duration_s == pytest.approx(1.301, abs=10 * CALL_S)


def test_a_long_chunk_after_short_ones_has_its_own_cpu_time(clock: Clock) -> None:
    with take_slot() as slot:
        for _ in range(100):
            slot.compute(Timed(clock, computes_s=2e-6), Chunk(0, 1), "here")
        long = slot.compute(Timed(clock, computes_s=0.5, loses_s=0.5), Chunk(0, 1), "here")
    assert long.cpu_s == pytest.approx(0.5, abs=10 * CALL_S)
