"""Which candidates an oracle measures, and the physical limits that exclude candidates."""

import pytest

from benchmarks.race.grid import (
    ItemCost,
    batches,
    grid,
    in_order,
    item_cost,
    memory_of,
    reason_to_leave_out,
    usable_slots,
)
from poolrace.producer.results.candidate import SOLO, Candidate
from tests.benchmarks.made_up_workers import CORES, MIB, lap

WAITS = ItemCost(duration_s=0.1, cpu_s=0.001, worker_bytes=40 * MIB, child_bytes=10 * MIB)
COMPUTES = ItemCost(duration_s=0.1, cpu_s=0.1, worker_bytes=40 * MIB, child_bytes=10 * MIB)


def reason(candidate: Candidate, cost: ItemCost, enough: float = 0.0) -> str | None:
    return reason_to_leave_out(
        candidate, cost, cores=CORES, enough=enough, max_memory_bytes=1000 * MIB
    )


def test_the_grid_has_every_pool_up_to_512_slots_with_one_two_and_cores_workers() -> None:
    candidates = grid(["prefork", "threads", "gevent", "solo"], cores=8)
    assert len(candidates) == len(set(candidates)) == 3 * (10 + 9 + 7) + 3
    assert {candidate.workers for candidate in candidates} == {1, 2, 8}
    for pool in ("prefork", "threads", "gevent"):
        assert {Candidate(pool, 512), Candidate(pool, 256, 2), Candidate(pool, 1)} <= {*candidates}
    assert {Candidate("solo", 1, 8), SOLO} <= {*candidates}
    assert max(candidate.slots for candidate in candidates) == 512


def test_the_cost_of_an_item_comes_from_the_lap_with_the_shortest_items() -> None:
    cold = lap(SOLO, 5.0, item_s=0.2, cpu_s=0.15)
    warm = lap(SOLO, 10.0, item_s=0.1, cpu_s=0.02)
    forked = lap(Candidate("prefork", 4), 40.0, peak_mib=90)
    cost = item_cost([cold, warm], [forked])
    assert cost.duration_s == pytest.approx(0.1)
    assert cost.cpu_s == pytest.approx(0.02)
    assert (cost.worker_bytes, cost.child_bytes) == (50 * MIB, 10 * MIB)
    assert cost.cpu_share == pytest.approx(0.2)


def test_a_task_that_computes_can_use_four_slots_per_core_and_one_that_waits_more() -> None:
    assert usable_slots(COMPUTES, CORES) == 8
    assert usable_slots(WAITS, CORES) == pytest.approx(800)


def test_the_slots_that_just_keep_all_cores_busy_are_measured_first() -> None:
    candidates = [Candidate("threads", 2**exponent) for exponent in range(10)]
    slots = [candidate.slots for candidate in in_order(candidates, COMPUTES, CORES)]
    assert slots == [2, 4, 1, 8, 16, 32, 64, 128, 256, 512]
    slots = [candidate.slots for candidate in in_order(candidates, WAITS, CORES)]
    assert slots == [256, 128, 512, 64, 32, 16, 8, 4, 2, 1]


def test_slots_that_are_too_few_by_littles_law_are_left_out() -> None:
    assert reason(Candidate("threads", 16), WAITS, enough=400.0) == "Little's law"
    assert reason(Candidate("threads", 32), WAITS, enough=400.0) is None


def test_slots_beyond_use_are_left_out_only_if_their_lap_would_be_long() -> None:
    assert reason(Candidate("threads", 32), COMPUTES) is None
    assert reason(Candidate("threads", 64), COMPUTES) == "utilisation law"
    short = ItemCost(duration_s=0.001, cpu_s=0.001, worker_bytes=MIB)
    assert reason(Candidate("threads", 512), short) is None


def test_workers_that_do_not_fit_into_memory_are_left_out() -> None:
    assert memory_of(Candidate("prefork", 32, 2), WAITS) == 720 * MIB
    assert reason(Candidate("prefork", 128), WAITS) == "memory"
    assert reason(Candidate("threads", 128), WAITS) is None


def test_a_batch_ends_at_its_size_at_the_memory_and_at_three_hundred_processes() -> None:
    small = [Candidate("threads", number) for number in (1, 2, 3, 4, 5)]
    sizes = [len(batch) for batch in batches(small, WAITS, size=2, max_memory_bytes=1000 * MIB)]
    assert sizes == [2, 2, 1]
    large = [Candidate("prefork", 64), Candidate("prefork", 32), Candidate("prefork", 16)]
    split = list(batches(large, WAITS, size=8, max_memory_bytes=700 * MIB))
    assert split == [large[:1], large[1:]]
    huge = [Candidate("prefork", 512), Candidate("prefork", 256), Candidate("threads", 512)]
    assert list(batches(huge, WAITS, size=8, max_memory_bytes=10**12)) == [huge[:1], huge[1:]]
