"""The search of a pool: its first candidate, its proposals, and why it ends."""

from typing import Any

import pytest

from poolrace.producer.analysis.item_cost import ItemCost
from poolrace.producer.race.memory import expected_memory
from poolrace.producer.race.search import Leanest, PoolSearch, grid
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Lap, Reason
from tests.unit.made_up_races import MIB, lap

NAP = ItemCost(running_s=0.1, own_cpu_s=0.0002, other_cpu_s=0, message_s=0.002, slot_s=0.1028)
CALCULATION = ItemCost(0.02, 0.02, 0.0, 0.001, 0.0214)


def fits(candidate: Candidate) -> Reason | None:
    return None


def search(pool: str = "threads", item: ItemCost = NAP, **fields: Any) -> PoolSearch:
    defaults: dict[str, Any] = {"cores": 2, "base_bytes": 50 * MIB, "workers": (1, 2)}
    return PoolSearch(Candidate(pool, 1), item, **{**defaults, **fields})


def measured(candidate: Candidate, speed: float, **figures: Any) -> Lap:
    """A lap of the nap; its slots are idle unless ``speed`` needs them."""
    fields: dict[str, Any] = {
        "items": round(speed),
        "items_per_s": speed,
        "running_total_s": min(0.1 * speed, candidate.slots),
        "own_cpu_s": 0.0002 * speed,
        "cpu_s": 0.0022 * speed,
        "main_cpu_s": 0.0022 * speed,
    }
    return lap(candidate, "search", 1, **{**fields, **figures})


def leanest(speed: float, slots: int = 64, memory: float = 50 * MIB) -> Leanest:
    return Leanest(speed, speed, memory, slots)


@pytest.mark.parametrize(
    ("pool", "item", "slots"),
    [
        ("threads", NAP, 64),
        ("gevent", NAP, 64),
        ("prefork", NAP, 64),
        ("threads", CALCULATION, 2),
        ("prefork", CALCULATION, 2),
    ],
)
def test_the_first_candidate_is_near_the_expected_bend(
    pool: str, item: ItemCost, slots: int
) -> None:
    first = search(pool, item).first(fits)
    assert first == Candidate(pool, slots)


def test_slots_are_the_cores_times_powers_of_two() -> None:
    assert grid(2)[:5] == [1, 2, 4, 8, 16]
    assert grid(6)[:6] == [1, 2, 4, 6, 12, 24]
    assert max(grid(2)) == 512


def test_a_worker_that_is_out_of_cpu_is_doubled() -> None:
    whole = search()
    whole.record(measured(Candidate("threads", 64), 440.0))
    assert list(whole.proposals(leanest(440.0), fits)) == [Candidate("threads", 64, 2)]


def test_given_numbers_of_workers_are_the_only_ones() -> None:
    whole = search(workers=(1,))
    whole.record(measured(Candidate("threads", 64), 440.0))
    assert whole.proposals(leanest(440.0), fits) == {}


def test_busy_slots_below_the_bend_are_followed_by_more_slots() -> None:
    whole = search(workers=(1,))
    whole.record(measured(Candidate("threads", 8), 77.0))
    assert list(whole.proposals(leanest(77.0, 8), fits)) == [Candidate("threads", 128)]


def test_slots_beyond_a_service_are_followed_by_fewer_slots() -> None:
    whole = search()
    whole.record(measured(Candidate("threads", 64), 80.0, running_total_s=64.0))
    proposals = whole.proposals(leanest(80.0), fits)
    assert list(proposals) == [Candidate("threads", 16)]
    whole.record(measured(Candidate("threads", 16), 80.0, running_total_s=16.0))
    assert whole.proposals(leanest(80.0, 16), fits) == {}
    whole.finish()
    assert whole.ended == "gain"


def test_a_pool_whose_level_is_below_the_best_speed_ends_as_slower() -> None:
    whole = search(workers=(1,))
    whole.record(measured(Candidate("threads", 64), 100.0, running_total_s=64.0))
    ends: list[Reason | None] = []
    for best in (110.0, 150.0):
        whole.compare(best)
        ends.append(whole.ended)
    assert ends == [None, "slower"]
    assert whole.proposals(leanest(150.0), fits) == {}


def test_blocked_greenlets_end_their_pool_after_one_lap() -> None:
    whole = search("gevent")
    whole.record(measured(Candidate("gevent", 64), 10.0, running_total_s=1.0))
    assert whole.ended == "blocked"


def test_workers_that_fail_end_their_pool_unless_others_of_it_work() -> None:
    whole = search()
    whole.fail(Candidate("threads", 64))
    assert whole.ended == "failures"
    other = search()
    other.record(measured(Candidate("threads", 64), 440.0))
    other.record(measured(Candidate("threads", 64, 2), 0.0, lost=True))
    assert other.ended is None
    assert other.proposals(leanest(440.0), fits) == {}


def test_a_limit_leaves_the_most_slots_that_fit_and_is_the_reason_for_the_end() -> None:
    def memory(candidate: Candidate) -> Reason | None:
        return "memory" if candidate.slots > 16 else None

    whole = search("prefork", workers=(1,))
    assert whole.first(memory) == Candidate("prefork", 16)
    whole.record(measured(Candidate("prefork", 16), 155.0))
    assert whole.proposals(leanest(155.0), memory) == {}
    whole.finish()
    assert whole.ended == "memory"


def test_a_pool_of_which_nothing_fits_ends_with_the_limit() -> None:
    whole = search()
    assert whole.first(lambda _: "executions") is None
    assert whole.ended == "executions"


def test_memory_of_prefork_grows_with_its_processes_and_of_threads_with_their_workers() -> None:
    laps = [measured(Candidate("prefork", 8), 77.0, peak_memory_bytes=210 * MIB)]
    assert expected_memory(Candidate("prefork", 16), 50 * MIB, laps) == 370 * MIB
    assert expected_memory(Candidate("prefork", 10), 50 * MIB, []) == 250 * MIB
    assert expected_memory(Candidate("threads", 64, 2), 50 * MIB, []) == 100 * MIB
