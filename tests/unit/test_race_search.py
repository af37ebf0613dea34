"""Statistics, paired comparisons and the search of a race, on made-up figures."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolrace.producer.analysis.significance import PairedResult, compare_paired
from poolrace.producer.analysis.stats import (
    confidence_interval,
    most_at_a_time,
    percentiles,
    quantiles,
    steady_rate,
)


def waves(slots: int, number: int, seconds: float) -> list[tuple[float, float]]:
    """Begin and end of ``number`` items of equal length in ``slots`` slots."""
    return [(n // slots * seconds, (n // slots + 1) * seconds) for n in range(number)]


@pytest.mark.parametrize(("slots", "number"), [(1, 3), (4, 9), (100, 201), (100, 350)])
def test_equal_items_in_waves_have_the_rate_of_full_slots(slots: int, number: int) -> None:
    spans = waves(slots, number, 0.5)
    begins = [begin for begin, _ in spans]
    assert steady_rate(spans, begins=begins) == pytest.approx(slots / 0.5)
    assert steady_rate(spans, begins=begins, slots=slots) == pytest.approx(slots / 0.5)


@pytest.mark.parametrize("slots", [8, 32, 64])
def test_a_service_that_answers_in_turn_has_the_same_rate_for_any_number_of_slots(
    slots: int,
) -> None:
    ends = [(number + 1) / 80 for number in range(3 * slots)]
    begins = [0.0] * slots + ends[: 2 * slots]
    spans = list(zip(begins, ends, strict=True))
    assert steady_rate(spans, begins=begins, slots=slots) == pytest.approx(80, rel=0.02)
    assert slots == 8 or steady_rate(spans, begins=begins) > 1.1 * 80


def test_slots_that_are_idle_all_the_time_do_not_lower_the_rate() -> None:
    """A worker that takes 900 messages/s fills 90 slots of 100 ms; the other 166 stay idle."""
    spans = [(number / 900, number / 900 + 0.1) for number in range(384)]
    begins = [begin for begin, _ in spans]
    assert most_at_a_time(spans) in {90, 91}
    assert steady_rate(spans, begins=begins, slots=256, idle=True) == pytest.approx(900, rel=0.01)
    assert steady_rate(spans, begins=begins, slots=256) < 0.9 * 900


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
    rate = steady_rate(spans, begins=[b for b, _ in spans], slots=slots)
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


def test_quantiles_are_values_that_were_measured() -> None:
    assert quantiles([3.0, 1.0, 2.0], 5) == [1.0, 1.0, 2.0, 3.0, 3.0]
    assert quantiles(range(1, 101), 21) == [1, *range(5, 101, 5)]
    assert quantiles([3.0], 3) == [3.0, 3.0, 3.0]
    assert quantiles([], 21) == []


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
