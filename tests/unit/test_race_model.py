"""The model of a race: laws of throughput, fitted to the laps of real and made-up races."""

from dataclasses import replace
from math import inf
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from poolrace.producer.analysis.item_cost import is_blocked, item_cost, speed_of
from poolrace.producer.analysis.race_model import (
    expected,
    fitted,
    is_out_of_cpu,
    main_cpu_share,
    potential,
)
from poolrace.producer.results.candidate import SOLO, Candidate
from poolrace.producer.results.files import load
from poolrace.producer.results.race import Race
from tests.unit.made_up_races import lap, race

RACES = Path(__file__).parent.parent / "data" / "races"


def stored(name: str) -> Race:
    result = load(RACES / f"{name}.json")
    assert isinstance(result, Race)
    return result


def naps(candidate: Candidate, speed: float, **figures: Any) -> Any:
    """A lap of a task that waits 100 ms; a message takes 2 ms of CPU time."""
    overlap = min(candidate.slots, 0.1 * speed)
    fields = {
        "items": round(speed),
        "items_per_s": speed,
        "running_s": [0.1] * 3,
        "running_total_s": overlap,
        "own_cpu_s": 0.0002 * speed,
        "cpu_s": 0.0022 * speed,
        "main_cpu_s": 0.0022 * speed,
    }
    return lap(candidate, "search", 1, **{**fields, **figures})


ITEM = item_cost([naps(SOLO, 10.0, wall_s=1.03)])


def test_the_cost_of_an_item_is_computing_waiting_and_its_message() -> None:
    assert ITEM.running_s == pytest.approx(0.1)
    assert ITEM.own_cpu_s == pytest.approx(0.0002)
    assert ITEM.message_s == pytest.approx(0.002)
    assert ITEM.slot_s == pytest.approx(0.1028)
    assert ITEM.waiting_share == pytest.approx(0.998)


def test_cpu_time_beyond_that_of_a_message_is_the_items_own() -> None:
    item = item_cost([naps(SOLO, 10.0, cpu_s=0.5)])
    assert item.message_s + item.other_cpu_s == pytest.approx(0.0498)
    assert item.message_s <= 0.003


def test_the_bend_is_where_little_s_law_and_the_utilisation_law_meet() -> None:
    model = expected("threads", ITEM, 2)
    assert model.ceiling() == pytest.approx(1 / model.main_cpu_s)
    assert model.bend() == pytest.approx(model.ceiling() * ITEM.slot_s)
    assert model.speed(1) == pytest.approx(1 / ITEM.slot_s, rel=0.01)
    assert model.speed(10_000) == pytest.approx(model.ceiling(), rel=0.01)
    assert model.ceiling(2) > 1.4 * model.ceiling(1)


@pytest.mark.parametrize("name", ["http", "blocking", "failing"])
@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_the_model_computes_the_speeds_of_real_races_on_both_sides_of_the_bend(
    name: str, pool: str
) -> None:
    measured = stored(name)
    laps = [one for one in measured.laps if one.candidate.pool == pool]
    model = fitted(pool, item_cost(measured.base), laps, measured.cores)
    for candidate in {one.candidate for one in laps}:
        speed = fmean(speed_of(one) for one in laps if one.candidate == candidate)
        assert model.speed(candidate.slots) == pytest.approx(speed, rel=0.2)


def test_a_lap_of_busy_slots_says_only_that_the_level_is_not_lower() -> None:
    model = fitted("threads", ITEM, [naps(Candidate("threads", 8), 77.0)], 2)
    assert model.ceiling() >= 0.95 * model.law()
    level = fitted("threads", ITEM, [naps(Candidate("threads", 128), 300.0)], 2)
    assert level.ceiling() == pytest.approx(300.0, rel=0.01)


def test_idle_slots_of_one_worker_leave_room_for_a_second_worker() -> None:
    model = fitted("threads", ITEM, [naps(Candidate("threads", 128), 300.0)], 2)
    assert model.ceiling(2) == pytest.approx(600.0, rel=0.01)
    assert model.service == inf


def test_items_that_wait_for_a_service_gain_nothing_from_a_second_worker() -> None:
    laps = [naps(Candidate("threads", 64), 80.0, running_total_s=64.0)]
    model = fitted("threads", ITEM, laps, 2)
    assert model.service == pytest.approx(80.0, rel=0.01)
    assert model.ceiling(2) == pytest.approx(80.0, rel=0.01)
    assert model.bend() == pytest.approx(8.2, rel=0.02)


def test_a_main_process_is_out_of_cpu_at_nearly_a_core() -> None:
    candidate = Candidate("threads", 64)
    busy, idle = naps(candidate, 446.0), naps(candidate, 200.0)
    model = fitted("threads", ITEM, [busy], 2)
    assert main_cpu_share(busy, model) == pytest.approx(0.98, rel=0.01)
    assert (is_out_of_cpu(busy, model), is_out_of_cpu(idle, model)) == (True, False)


def test_threads_that_use_more_than_a_core_are_not_held_by_the_gil() -> None:
    item = item_cost([lap(SOLO, "base", 1, items=50, cpu_s=1.0, own_cpu_s=0.95)])
    pool = Candidate("threads", 2)
    free = lap(pool, "search", 1, items=96, items_per_s=96.0, cpu_s=1.92, own_cpu_s=1.8)
    held = lap(pool, "search", 1, items=48, items_per_s=48.0, cpu_s=0.96, own_cpu_s=0.9)
    assert fitted("threads", item, [free], 2).law() == pytest.approx(98, rel=0.02)
    assert fitted("threads", item, [held], 2).law() == pytest.approx(50, rel=0.02)
    assert fitted("threads", item, [held], 2, gil=False).law() > 90


def test_greenlets_that_do_not_overlap_are_blocked() -> None:
    measured = stored("blocking")
    item = item_cost(measured.base)
    for one in measured.laps:
        assert is_blocked(one, item) == (one.candidate.pool == "gevent")
        failing = replace(one, failures={"RuntimeError": 2 * one.items})
        assert not is_blocked(failing, item)


def test_the_potential_of_a_pool_is_the_ratio_to_its_level() -> None:
    base = [lap(SOLO, "base", 1, **_figures(naps(SOLO, 10.0, wall_s=1.03)))]
    few = race([*base, naps(Candidate("threads", 8), 77.0)])
    assert potential(few, "threads") > 5
    assert potential(few, "gevent") == inf
    level = race([*base, naps(Candidate("gevent", 64), 60.0, running_total_s=64.0)])
    assert potential(level, "gevent") == pytest.approx(1.0, abs=0.02)


def _figures(one: Any) -> dict[str, Any]:
    names = "items", "items_per_s", "wall_s", "running_total_s", "own_cpu_s", "cpu_s"
    return {name: getattr(one, name) for name in names}


def test_the_potential_of_long_items_ends_at_the_most_slots_of_a_race() -> None:
    """The CPU allows 46 times as many items of 5 s as 128 threads run."""
    long: dict[str, Any] = {
        "running_total_s": 640.0, "wall_s": 5.1, "own_cpu_s": 0.1, "cpu_s": 0.2, "main_cpu_s": 0.2,
    }  # fmt: skip
    alone = {**long, "running_total_s": 5.0, "own_cpu_s": 0.001, "cpu_s": 0.002, "items": 1}
    few = lap(Candidate("threads", 128), "search", 1, items=128, items_per_s=25.0, **long)
    raced = race([lap(SOLO, "base", 1, items_per_s=0.2, **alone), few])
    assert potential(raced, "threads") == pytest.approx(4.0, rel=0.05)
