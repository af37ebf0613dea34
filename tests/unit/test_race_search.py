"""How a race decides what to measure next, and who is faster: laws on made-up figures."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolrace.producer.analysis.rates import interval, percentiles, steady_rate
from poolrace.producer.analysis.significance import Judgement, duel
from poolrace.producer.race.search import Ladder, next_rung, rungs
from poolrace.producer.results.candidate import Candidate


def waves(slots: int, number: int, seconds: float) -> list[tuple[float, float]]:
    """Items of equal length, of which so many run at a time."""
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


def test_an_interval_holds_the_true_value_as_often_as_it_says() -> None:
    draw = random.Random(1)
    held = 0
    for _ in range(1000):
        found = interval([math.exp(draw.gauss(2.0, 0.1)) for _ in range(6)])
        held += found is not None and found[0] <= math.exp(2.0) <= found[1]
    assert 930 <= held <= 970
    assert interval([1.0]) is None
    assert interval([1.0, 0.0, 2.0]) is None


def rounds(draw: random.Random, ratio: float, noise: float, load: float) -> Judgement:
    """The outcome of a duel that goes on as the finals do, on a machine with a load."""
    one: list[float] = []
    other: list[float] = []
    for _ in range(20):
        speed = 100 * (1 - load * draw.random())
        one.append(speed * ratio * math.exp(draw.gauss(0, noise)))
        other.append(speed * math.exp(draw.gauss(0, noise)))
        if (outcome := duel(one, other)) != Judgement.OPEN:
            return outcome
    return Judgement.OPEN


@pytest.mark.parametrize("load", [0.0, 0.5])
def test_a_clear_difference_is_found_on_a_quiet_and_on_a_busy_machine(load: float) -> None:
    draw = random.Random(2)
    found = [rounds(draw, 1.5, 0.08, load) for _ in range(200)]
    assert found.count(Judgement.FASTER) >= 195
    assert Judgement.SLOWER not in found


def test_equals_are_hardly_ever_told_apart() -> None:
    draw = random.Random(3)
    found = [rounds(draw, 1.0, 0.08, 0.3) for _ in range(500)]
    assert found.count(Judgement.FASTER) + found.count(Judgement.SLOWER) <= 0.08 * len(found)


def test_equals_are_shown_to_be_equal_where_it_is_quiet() -> None:
    draw = random.Random(4)
    assert [rounds(draw, 1.0, 0.01, 0.0) for _ in range(50)].count(Judgement.ALIKE) >= 48


def test_too_few_rounds_decide_nothing_and_who_stands_still_has_lost() -> None:
    assert duel([9.0] * 2, [1.0] * 2) == Judgement.OPEN
    assert duel([9.0] * 4, [0.0] * 4) == Judgement.FASTER
    assert duel([0.0] * 4, [9.0] * 4) == Judgement.SLOWER


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
def test_slots_are_tried_as_far_as_they_can_be_busy(
    cores: int, useful: float, expected: list[int]
) -> None:
    assert rungs(cores, useful) == expected


def ladder(pool: str = "threads", numbers: tuple[int, ...] = (2, 4, 8)) -> Ladder:
    return Ladder(pool, [Candidate(pool, n) for n in numbers])


def test_a_ladder_is_climbed_while_it_gains_clearly() -> None:
    found = ladder()
    assert [found.enter(speed) for speed in (100.0, 190.0, 210.0)] == [True, True, False]
    assert (found.champion, found.ended, found.next) == (Candidate("threads", 4), "gain", None)


def test_a_ladder_ends_at_its_top_and_where_nothing_works() -> None:
    found = ladder(numbers=(2,))
    found.enter(5.0)
    assert (found.ended, found.champion) == ("top", Candidate("threads", 2))
    failed = ladder()
    failed.enter(0.0)
    assert (failed.ended, failed.champion) == ("failures", None)


def test_a_ladder_whose_first_rung_is_too_large_goes_down_until_it_fits() -> None:
    found = ladder("prefork", (32, 64))
    found.too_large()
    found.too_large()
    assert found.next == Candidate("prefork", 8)
    found.enter(40.0)
    assert (found.champion, found.ended) == (Candidate("prefork", 8), "memory")
    alone = ladder("prefork", (1,))
    alone.too_large()
    assert (alone.next, alone.ended) == (None, "memory")
    climbed = ladder("prefork", (2, 4))
    climbed.enter(10.0)
    climbed.too_large()
    assert (climbed.champion, climbed.ended) == (Candidate("prefork", 2), "memory")


def test_all_pools_come_equally_far() -> None:
    slow, fast = ladder("threads"), ladder("gevent")
    assert [it for it, _ in next_rung([slow, fast])] == [slow, fast]
    fast.enter(20.0)
    assert next_rung([slow, fast]) == [(slow, Candidate("threads", 2))]
    slow.enter(10.0)
    assert [candidate.slots for _, candidate in next_rung([slow, fast])] == [4, 4]
    slow.ended = fast.ended = "time"
    assert next_rung([slow, fast]) == []
