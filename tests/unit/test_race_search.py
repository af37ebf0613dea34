"""Statistics, paired comparisons and the search of a race, on made-up figures."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolrace.producer.analysis.significance import PairedResult, compare_paired
from poolrace.producer.analysis.stats import confidence_interval, percentiles, steady_rate
from poolrace.producer.race.search import PoolSearch, concurrencies, next_candidates
from poolrace.producer.results.candidate import Candidate


def waves(slots: int, number: int, seconds: float) -> list[tuple[float, float]]:
    """Begin and end of ``number`` items of equal length in ``slots`` slots."""
    return [(n // slots * seconds, (n // slots + 1) * seconds) for n in range(number)]


@pytest.mark.parametrize(("slots", "number"), [(1, 3), (4, 9), (100, 201), (100, 350)])
def test_equal_items_in_waves_have_the_rate_of_full_slots(slots: int, number: int) -> None:
    spans = waves(slots, number, 0.5)
    assert steady_rate(spans, begins=[b for b, _ in spans]) == pytest.approx(slots / 0.5)


@given(st.integers(1, 20), st.floats(0.01, 10), st.integers(0, 2**32))
def test_items_of_any_length_have_the_rate_of_full_slots(
    slots: int, mean_s: float, seed: int
) -> None:
    draw = random.Random(seed)
    free, spans = [0.0] * slots, []
    for _ in range(200 * slots):
        slot = free.index(min(free))
        begin, free[slot] = free[slot], free[slot] + draw.uniform(0.2, 1.8) * mean_s
        spans.append((begin, free[slot]))
    rate = steady_rate(spans, begins=[b for b, _ in spans])
    assert rate == pytest.approx(slots / mean_s, rel=0.15)


def test_failed_items_take_time_and_do_not_count() -> None:
    spans = waves(1, 11, 1.0)
    assert steady_rate(spans[::2], begins=[b for b, _ in spans]) == pytest.approx(0.5)
    assert steady_rate([], begins=[]) == 0.0


def test_a_single_item_has_a_rate_too() -> None:
    assert steady_rate([(1.0, 3.0)], begins=[1.0]) == pytest.approx(0.5)


def test_percentiles_are_values_that_were_measured() -> None:
    assert percentiles(range(1, 101)) == [50, 95, 99]
    assert percentiles([3.0]) == [3.0, 3.0, 3.0]
    assert percentiles([]) == [0.0, 0.0, 0.0]


def test_a_95_percent_interval_contains_the_true_value_in_95_percent_of_samples() -> None:
    draw = random.Random(1)
    containing = 0
    for _ in range(1000):
        interval = confidence_interval([math.exp(draw.gauss(2.0, 0.1)) for _ in range(6)])
        containing += interval is not None and interval[0] <= math.exp(2.0) <= interval[1]
    assert 930 <= containing <= 970
    assert confidence_interval([1.0]) is None
    assert confidence_interval([1.0, 0.0, 2.0]) is None


def compared(draw: random.Random, ratio: float, noise: float, load: float) -> PairedResult:
    """Result of comparisons after every round, as in the finals, on a machine with a load."""
    one: list[float] = []
    other: list[float] = []
    for _ in range(20):
        speed = 100 * (1 - load * draw.random())
        one.append(speed * ratio * math.exp(draw.gauss(0, noise)))
        other.append(speed * math.exp(draw.gauss(0, noise)))
        if (result := compare_paired(one, other)) != PairedResult.UNDECIDED:
            return result
    return PairedResult.UNDECIDED


@pytest.mark.parametrize("load", [0.0, 0.5])
def test_a_clear_difference_is_found_on_a_quiet_and_on_a_busy_machine(load: float) -> None:
    draw = random.Random(2)
    results = [compared(draw, 1.5, 0.08, load) for _ in range(200)]
    assert results.count(PairedResult.FASTER) >= 195
    assert PairedResult.SLOWER not in results


def test_equal_candidates_are_rarely_called_different() -> None:
    draw = random.Random(3)
    results = [compared(draw, 1.0, 0.08, 0.3) for _ in range(500)]
    different = results.count(PairedResult.FASTER) + results.count(PairedResult.SLOWER)
    assert different <= 0.08 * len(results)


def test_equal_candidates_are_called_equivalent_on_a_quiet_machine() -> None:
    draw = random.Random(4)
    assert [compared(draw, 1.0, 0.01, 0.0) for _ in range(50)].count(PairedResult.EQUIVALENT) >= 48


def test_two_rounds_distinguish_nothing_and_a_speed_of_zero_is_slower() -> None:
    assert compare_paired([9.0] * 2, [1.0] * 2) == PairedResult.UNDECIDED
    assert compare_paired([9.0] * 4, [0.0] * 4) == PairedResult.FASTER
    assert compare_paired([0.0] * 4, [9.0] * 4) == PairedResult.SLOWER


@pytest.mark.parametrize(
    ("cores", "useful", "expected"),
    [
        (2, 2.0, [2]),  # computes only
        (2, 3.0, [2, 4]),  # waits a third of its time
        (2, 20.0, [4, 8, 16, 32, 64]),
        (2, 200.0, [32, 64, 128, 256, 512]),  # waits 99 %
        (8, 8.1, [8]),
        (1, 1.0, [1]),
        (2, 1e9, [64, 128, 256, 512, 1024]),
    ],
)
def test_concurrencies_are_tried_up_to_the_slots_that_can_be_busy(
    cores: int, useful: float, expected: list[int]
) -> None:
    assert concurrencies(cores, useful) == expected


def search(pool: str = "threads", numbers: tuple[int, ...] = (2, 4, 8)) -> PoolSearch:
    return PoolSearch(pool, [Candidate(pool, n) for n in numbers])


def test_the_concurrency_is_doubled_while_throughput_grows_clearly() -> None:
    whole = search()
    assert [whole.record(speed) for speed in (100.0, 190.0, 210.0)] == [True, True, False]
    assert (whole.best, whole.ended, whole.next) == (Candidate("threads", 4), "gain", None)


def test_a_search_ends_at_the_last_concurrency_or_when_no_item_succeeds() -> None:
    whole = search(numbers=(2,))
    whole.record(5.0)
    assert (whole.ended, whole.best) == ("top", Candidate("threads", 2))
    failed = search()
    failed.record(0.0)
    assert (failed.ended, failed.best) == ("failures", None)


def test_a_first_concurrency_that_needs_too_much_memory_is_halved_until_it_fits() -> None:
    whole = search("prefork", (32, 64))
    whole.reduce()
    whole.reduce()
    assert whole.next == Candidate("prefork", 8)
    whole.record(40.0)
    assert (whole.best, whole.ended) == (Candidate("prefork", 8), "memory")
    alone = search("prefork", (1,))
    alone.reduce()
    assert (alone.next, alone.ended) == (None, "memory")
    doubled = search("prefork", (2, 4))
    doubled.record(10.0)
    doubled.reduce()
    assert (doubled.best, doubled.ended) == (Candidate("prefork", 2), "memory")


def test_all_pools_try_about_the_same_concurrencies() -> None:
    slow, fast = search("threads"), search("gevent")
    assert [pool_search for pool_search, _ in next_candidates([slow, fast])] == [slow, fast]
    fast.record(20.0)
    assert next_candidates([slow, fast]) == [(slow, Candidate("threads", 2))]
    slow.record(10.0)
    assert [candidate.slots for _, candidate in next_candidates([slow, fast])] == [4, 4]
    slow.ended = fast.ended = "time"
    assert next_candidates([slow, fast]) == []
