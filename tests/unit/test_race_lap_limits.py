"""Limits of laps: number of items, throughput below which a lap ends early, warm-up."""

import math
import sys
from pathlib import Path
from typing import Any

import pytest

from poolrace.producer.race.items import Item
from poolrace.producer.race.lap_limits import LapLimits
from poolrace.producer.race.options import RaceOptions, Target
from poolrace.producer.results.candidate import SOLO, Candidate
from tests.unit.made_up_races import WAITS, lap

TARGET = Target("proj", "proj.task", sys.executable, Path("/"))
THREADS = Candidate("threads", 32)


def limits(*, cut_short: bool = True, **options: Any) -> LapLimits:
    made = RaceOptions(TARGET, [Item(1, [], {})], **options)
    return LapLimits(made, prefetch=4, deadline=math.inf, cut_short=cut_short)


def note(
    known: LapLimits,
    item_s: float,
    items_per_s: float = 1.0,
    candidate: Candidate = SOLO,
    **figures: float,
) -> None:
    """Note a measured lap."""
    known.note_durations(candidate, item_s, item_s)
    known.note_speed(lap(candidate, "search", 1, items_per_s=items_per_s, **figures))


@pytest.mark.parametrize(
    ("item_s", "items_per_s", "slots", "items"),
    [
        (0.1, 1e4, 2, 200),
        (0.1, 1e4, 64, 200),
        (0.1, 1e4, 512, 3 * 512),
        (0.1, 1e3, 256, 2 * 256 + 1),  # no more than 150 slots will be busy
        (0.1, 1e3, 512, 3 * 512),  # most slots queue
        (1.0, 1e3, 2, 20),
        (1.0, 1e3, 32, 96),
    ],
)
def test_a_lap_runs_20_s_of_items_or_three_per_busy_slot(
    item_s: float, items_per_s: float, slots: int, items: int
) -> None:
    known = limits()
    note(known, item_s, items_per_s, Candidate("gevent", 512), **WAITS)
    assert known.lap(Candidate("gevent", slots), "final", 1, 0).max_items == items


@pytest.mark.parametrize(("item_s", "items"), [(0.1, 2 * 128 + 1), (0.02, 1000)])
def test_a_lap_of_the_search_runs_few_items_if_they_take_long(item_s: float, items: int) -> None:
    known = limits()
    note(known, item_s)
    assert known.lap(Candidate("gevent", 128), "search", 1, 0).max_items == items


def test_a_lap_runs_few_costly_items_where_the_cpu_is_the_limit() -> None:
    computing, waiting = limits(), limits()
    note(computing, 0.1, 500.0, Candidate("gevent", 128), cpu_s=1.0, main_cpu_s=1.0)
    note(waiting, 0.1, 500.0, Candidate("gevent", 128), cpu_s=0.2, main_cpu_s=0.2)
    candidate = Candidate("gevent", 128, workers=2)
    assert computing.lap(candidate, "search", 1, 0).max_items == 384
    assert computing.lap(candidate, "final", 1, 0, most=300).max_items == 448
    assert waiting.lap(candidate, "search", 1, 0).max_items == 3 * 256


@pytest.mark.parametrize(("busy", "items"), [(250.0, (320, 768)), (60.0, (768, 0))])
def test_a_lap_of_lasting_items_runs_few_unless_they_are_known_to_queue(
    busy: float, items: tuple[int, int]
) -> None:
    known = limits()
    note(known, 0.5, 2 * busy, Candidate("threads", 256), **WAITS)
    plan = known.lap(Candidate("threads", 128, workers=2), "final", 1, 0, most=10)
    assert (plan.min_items, plan.queued_items) == items
    assert plan.max_items == plan.min_items
    many = known.lap(Candidate("threads", 512), "final", 1, 0, most=10)
    assert many.min_items == (538 if busy > 60 else 3 * 512)


@pytest.mark.parametrize(("item_s", "items"), [(0.1, 150), (0.01, 2000)])
def test_a_lap_of_the_finals_stays_within_its_share_of_the_executions(
    item_s: float, items: int
) -> None:
    known = limits()
    note(known, item_s)
    assert known.lap(THREADS, "final", 1, 0, most=150).max_items == items
    assert known.lap(THREADS, "final", 1, 0, most=10).max_items >= 2 * 32 + 1


def test_a_lap_stays_within_the_executions_of_the_race() -> None:
    known = limits(max_executions=1000)
    assert known.lap(THREADS, "search", 1, 950).max_items == 50


def test_a_lap_with_a_window_of_its_own_runs_as_many_items_as_fit() -> None:
    known = limits(window_s=2.0, max_executions=10_000)
    note(known, 0.1)
    plan = known.lap(THREADS, "search", 1, 0)
    assert (plan.window_s, plan.max_items) == (2.0, 10_000)


def test_a_lap_of_the_search_ends_early_below_a_share_of_the_best_lap() -> None:
    known = limits()
    assert known.lap(THREADS, "search", 1, 0).slow_below == 0.0
    note(known, 0.1, items_per_s=300.0)
    note(known, 0.1, items_per_s=100.0)
    assert known.lap(THREADS, "search", 1, 0).slow_below == pytest.approx(60.0)
    assert known.lap(THREADS, "base", 1, 0).slow_below == 0.0
    assert known.lap(THREADS, "final", 1, 0).slow_below == 0.0


def test_a_lap_is_not_called_slow_beside_a_candidate_with_more_slots() -> None:
    """Two processes may be as good a start as 64 greenlets: their pool has not been raised yet."""
    known = limits()
    note(known, 0.1, items_per_s=10.0)
    note(known, 0.1, items_per_s=300.0, candidate=Candidate("gevent", 64))
    assert known.lap(Candidate("prefork", 2), "search", 1, 0).slow_below == pytest.approx(2.0)
    assert known.lap(Candidate("threads", 64), "search", 1, 0).slow_below == pytest.approx(60.0)
    assert known.lap(Candidate("threads", 32), "search", 1, 0).slow_below == pytest.approx(30.0)


def test_a_session_that_may_not_end_laps_early_does_not() -> None:
    known = limits(cut_short=False)
    note(known, 0.1, items_per_s=300.0)
    assert known.lap(THREADS, "search", 1, 0).slow_below == 0.0


def test_the_warm_up_has_an_item_for_each_process() -> None:
    known = limits()
    for candidate, number in (
        (Candidate("prefork", 32), 32), (Candidate("prefork", 512), 64), (SOLO, 1),
        (Candidate("gevent", 512), 4), (Candidate("threads", 64, workers=2), 32),
    ):  # fmt: skip
        plan = known.warm_up(candidate)
        assert plan is not None
        assert (plan.min_items, plan.max_items, plan.round) == (number, number, 0)


def test_a_task_of_long_items_is_not_warmed_up() -> None:
    known = limits()
    note(known, 2.0)
    assert known.warm_up(THREADS) is None


def test_a_lap_of_long_items_runs_one_per_slot() -> None:
    known = limits()
    assert known.lap(THREADS, "search", 1, 0).min_items == 2 * 32 + 1
    note(known, 4.5)
    assert known.lap(THREADS, "search", 1, 0).min_items == 32


def test_laps_end_early_beyond_the_memory_limit_but_that_of_the_base_does_not() -> None:
    known = limits(max_memory_bytes=100)
    assert known.lap(SOLO, "base", 1, 0).most_bytes == sys.maxsize
    assert known.lap(THREADS, "search", 1, 0).most_bytes == 100
    assert known.lap(THREADS, "final", 1, 0).most_bytes == 100
