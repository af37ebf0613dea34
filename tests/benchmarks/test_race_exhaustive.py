"""The exhaustive measurement, answered by workers that exist in memory only."""

import sys
from pathlib import Path

import pytest

from benchmarks.race.exhaustive import (
    BATCH,
    FINAL_ROUNDS,
    MAX_FINALISTS,
    Exhausted,
    exhaustive,
    in_turn,
)
from benchmarks.race.grid import grid
from poolrace.producer.errors import JobFailed
from poolrace.producer.race.items import Item
from poolrace.producer.race.options import RaceOptions, Target
from poolrace.producer.results.candidate import SOLO, Candidate
from tests.benchmarks.made_up_workers import CORES, MIB, Workers

TARGET = Target("proj", "proj.task", sys.executable, Path("/"))
GRID = grid(["prefork", "threads", "gevent", "solo"], CORES)


def waiting_speed(candidate: Candidate) -> float:
    """Items/s of a task that waits 0.1 s; a worker handles 400 messages/s, by gevent 200."""
    most = {"gevent": 200.0}.get(candidate.pool, 400.0) * candidate.workers
    return min(candidate.slots / 0.1, most)


def options(budget_s: float = 10_000.0, memory_mib: int = 4000) -> RaceOptions:
    return RaceOptions(
        TARGET, [Item(1, [], {})], budget_s=budget_s, max_memory_bytes=memory_mib * MIB
    )


def measure(workers: Workers, budget_s: float = 10_000.0, memory_mib: int = 4000) -> Exhausted:
    steps = exhaustive(options(budget_s, memory_mib), GRID, CORES, [SOLO])
    return workers.run(steps)


def test_every_candidate_is_measured_or_left_out_for_a_reason() -> None:
    result = measure(Workers(0.1, 0.001, waiting_speed))
    measured = {str(measured.candidate) for measured in result.measured}
    assert measured | result.left_out.keys() == {str(candidate) for candidate in GRID}
    assert not measured & result.left_out.keys()
    assert {*result.left_out.values()} <= {"Little's law", "memory"}


def test_the_best_candidate_is_found_and_measured_in_the_final() -> None:
    result = measure(Workers(0.1, 0.001, waiting_speed))
    best = max(result.measured, key=lambda measured: max(measured.search))
    assert best.candidate.workers == 2
    assert best.candidate.pool in ("prefork", "threads")
    assert best.search == [800.0] * 2
    assert best.final == [800.0] * FINAL_ROUNDS


def test_only_the_faster_candidates_are_measured_again_and_the_fastest_in_turn() -> None:
    workers = Workers(0.1, 0.001, waiting_speed)
    result = measure(workers)
    for measured in result.measured:
        assert len(measured.search) == (2 if max(measured.search) >= 0.7 * 800 else 1)
    finalists = {measured.candidate for measured in result.measured if measured.final}
    assert 3 < len(finalists) <= MAX_FINALISTS
    first_of_rounds = workers.laps_of("final")[:: len(finalists)]
    assert set(first_of_rounds[: len(finalists)]) == finalists


def test_candidates_of_a_task_that_computes_are_measured_once_beyond_its_use() -> None:
    result = measure(Workers(0.02, 0.02, lambda candidate: 100.0 if candidate.slots > 1 else 50.0))
    for measured in result.measured:
        if 8 < measured.candidate.slots < 256 and max(measured.search) < 100.0:
            assert len(measured.search) == 1
    assert result.left_out["threads:512"] == "utilisation law"


def test_workers_start_in_batches_and_stop_before_the_next_ones() -> None:
    workers = Workers(0.1, 0.001, waiting_speed)
    measure(workers, memory_mib=100_000)
    assert max(len(batch) for batch in workers.started) == BATCH
    assert workers.most_running == BATCH


def test_a_candidate_that_does_not_start_is_left_out_with_its_error() -> None:
    broken = Candidate("gevent", 512)
    result = measure(Workers(0.1, 0.001, waiting_speed, unable=frozenset({broken})))
    assert result.left_out["gevent:512"] == "failed: did not start: no such port"


def test_a_candidate_over_the_memory_is_left_out() -> None:
    result = measure(Workers(0.1, 0.001, waiting_speed), memory_mib=1000)
    assert result.left_out["prefork:512"] == "memory"


def test_when_the_time_is_over_the_remaining_candidates_are_named() -> None:
    result = measure(Workers(0.1, 0.001, waiting_speed, budget_s=40.0), budget_s=40.0)
    assert result.measured
    assert "time" in result.left_out.values()


def test_an_end_before_the_first_candidate_is_an_error() -> None:
    with pytest.raises(JobFailed, match="within the budget"):
        measure(Workers(0.1, 0.001, waiting_speed, budget_s=2.0), budget_s=2.0)


def test_two_candidates_are_measured_in_turn() -> None:
    best, other = Candidate("threads", 64), Candidate("gevent", 48)
    workers = Workers(0.1, 0.001, waiting_speed)
    laps = workers.run(in_turn(options(), [best, other], rounds=3))
    assert workers.laps_of("final") == [best, other, other, best, best, other]
    assert [lap.items_per_s for lap in laps[other]] == [200.0] * 3
