"""The strategy of a pool map, on machines that exist in memory only."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from poolrace.producer.analysis.pool_map_winners import MapCell, judge_cells
from poolrace.producer.race.options import MapOptions
from poolrace.producer.race.pool_map_strategy import Answer, MapStrategy, MeasureCell, Request
from poolrace.producer.race.requests import Start
from poolrace.producer.results.environment import Environment
from poolrace.producer.results.pool_map import MapLap, PoolMap
from poolrace.workers.host_facts import HostFacts
from tests.unit.made_up_races import MIB, lap

SHARES = [0.0, 0.25, 0.5, 0.75, 0.9, 0.99]
CONCURRENCIES = [2, 4, 8, 16, 32]
CORES = 2
MESSAGE_S = {"prefork": 0.0023, "threads": 0.0025, "gevent": 0.0024}
HOST = HostFacts("vm", "m", CORES, None, "cpu", "Linux", "CPython 3.11", gil=True)


@dataclass
class Machine:
    """Answers the requests of a map's strategy; takes the time that real workers were seen to take.

    ``load`` is the number of busy processes outside of the map.
    """

    item_s: float = 0.05
    draw: random.Random = field(default_factory=lambda: random.Random(0))
    load: int = 0
    start_s: float = 4.0
    """Seconds until the workers of a row are ready."""
    lap_s: float = 0.15
    """Seconds of a lap besides its items."""
    unable: Sequence[str] = ()
    """Candidates whose workers do not start."""
    lose: Sequence[str] = ()
    """Candidates whose workers end in each lap."""
    elapsed_s: float = 5.0
    """The app was imported before."""

    def answer(self, request: Request) -> Answer:
        if isinstance(request, Start):
            self.elapsed_s += self.start_s + 0.05 * request.candidates[0].slots
            started = [one for one in request.candidates if str(one) not in self.unable]
            return Answer(self.elapsed_s, started)
        if isinstance(request, MeasureCell):
            return Answer(self.elapsed_s, lap=self._lap(request))
        self.elapsed_s += 1.0
        return Answer(self.elapsed_s)

    def speed(self, pool: str, share: float, slots: int) -> float:
        """Items/s; the processes outside of the map take their part of the cores."""
        busy_s = self.item_s * (1 - share) + MESSAGE_S[pool]
        alone = slots / (self.item_s + MESSAGE_S[pool])
        processes = slots if pool == "prefork" else 1
        needed = min(alone * busy_s, processes)
        available = min(1.0, CORES / (needed + self.load))
        return min(alone, min(needed * available, CORES) / busy_s)

    def _lap(self, request: MeasureCell) -> MapLap:
        candidate, share = request.candidate, request.share
        noise = 0.15 if self.load else 0.02
        speed = self.speed(candidate.pool, share, candidate.slots)
        speed *= math.exp(self.draw.gauss(0, noise))
        self.elapsed_s += request.items / speed + self.item_s + self.lap_s
        cpu_s = request.items * (self.item_s * (1 - share) + MESSAGE_S[candidate.pool])
        mib = 60 + 12 * candidate.slots if candidate.pool == "prefork" else 60
        figures: dict[str, Any] = {
            "items": request.items,
            "items_per_s": speed,
            "cpu_s": cpu_s,
            "peak_memory_bytes": mib * MIB,
            "lost": str(candidate) in self.lose,
        }
        return MapLap(share, lap(candidate, "search", 1, **figures), max(0.0, CORES - self.load))


def draw_map(machine: Machine, **options: Any) -> PoolMap:
    """The map that the strategy makes of a machine."""
    wanted = MapOptions(
        machine.item_s, **{"shares": SHARES, "concurrencies": CONCURRENCIES, **options}
    )
    plan = PoolMap(
        made_at="2026-01-01T00:00:00+00:00",
        item_s=wanted.item_s,
        shares=list(wanted.shares),
        concurrencies=list(wanted.concurrencies),
        repeat=wanted.repeat,
        left_out={},
        environment=Environment([HOST], {"celery": "5.7.0"}),
        laps=(),
        budget_s=wanted.budget_s,
    )
    strategy = MapStrategy(plan)
    steps = strategy.steps()
    request = next(steps, None)
    while request is not None:
        try:
            request = steps.send(machine.answer(request))
        except StopIteration:
            break
    return strategy.measured()


def cells_of(pool_map: PoolMap) -> dict[tuple[int, float], MapCell]:
    return {(cell.concurrency, cell.share): cell for row in judge_cells(pool_map) for cell in row}


TIES = [(2, 0.9), (2, 0.99), (4, 0.99), (8, 0.99)]
"""Cells in which the three pools are equally fast."""


def test_a_map_of_the_default_size_takes_less_than_three_minutes() -> None:
    for seed in range(5):
        machine = Machine(draw=random.Random(seed))
        pool_map = draw_map(machine)
        assert machine.elapsed_s < 180
        assert pool_map.complete
        cells = cells_of(pool_map)
        few = {place for place, cell in cells.items() if cell.laps < 2}
        assert few <= {(32, 0.0), (32, 0.25)}
        assert all(cells[place].outcome == "predicted" for place in few)
        computing = [cells[slots, 0.0] for slots in CONCURRENCIES if (slots, 0.0) not in few]
        assert {cell.winner and cell.winner.pool for cell in computing} == {"prefork"}
        tied = {place: cells[place].outcome for place in TIES}
        assert set(tied.values()) <= {"same", "not distinguishable"}, tied


def test_clear_cells_get_two_laps_and_unclear_ones_up_to_the_number_of_repeat() -> None:
    cells = cells_of(draw_map(Machine(), concurrencies=[2, 8], repeat=4, budget_s=500.0))
    assert cells[2, 0.0].laps == cells[8, 0.5].laps == 2
    assert cells[8, 0.9].laps == 4  # prefork leads by 13 %, too near to the 10 % that count
    assert cells[8, 0.9].outcome == "not distinguishable"


def test_one_lap_of_each_pool_is_a_complete_map_without_winners() -> None:
    pool_map = draw_map(Machine(), concurrencies=[2, 8], repeat=1)
    assert pool_map.complete
    assert {cell.laps for cell in cells_of(pool_map).values()} == {1}
    assert {cell.outcome for cell in cells_of(pool_map).values()} == {"not distinguishable"}


@pytest.mark.parametrize("budget_s", [30.0, 60.0])
def test_a_budget_that_is_too_short_is_kept_and_the_map_says_what_is_missing(
    budget_s: float,
) -> None:
    machine = Machine()
    pool_map = draw_map(machine, budget_s=budget_s)
    assert machine.elapsed_s < budget_s + 5
    assert not pool_map.complete
    assert pool_map.planned > len(pool_map.laps)
    assert "not measured" in {cell.outcome for cell in cells_of(pool_map).values()}


def test_the_most_expensive_cells_that_neighbours_decide_are_predicted() -> None:
    slots = [2, 4, 64]
    pool_map = draw_map(Machine(), shares=[0.0, 0.5, 0.9], concurrencies=slots, budget_s=80.0)
    cells = cells_of(pool_map)
    assert cells[64, 0.0].outcome == "predicted"
    assert cells[64, 0.0].expected == {"prefork"}
    assert cells[64, 0.9].laps >= 2
    assert pool_map.complete


def test_beside_two_busy_processes_no_pool_wins_that_does_not_win_on_a_quiet_machine() -> None:
    for seed in range(10):
        cells = cells_of(draw_map(Machine(draw=random.Random(seed), load=2), concurrencies=[2, 8]))
        assert all(cell.busy for cell in cells.values())
        winners = {place: cell.winner.pool for place, cell in cells.items() if cell.winner}
        assert {winners.get((slots, 0.0), "prefork") for slots in (2, 8)} == {"prefork"}, seed
        assert not any(cells[place].outcome == "faster" for place in TIES if place in cells), seed


def test_equally_fast_pools_hardly_ever_get_a_faster_one() -> None:
    for seed in range(200):
        machine = Machine(draw=random.Random(seed))
        cells = cells_of(draw_map(machine, shares=[0.9, 0.99], concurrencies=[2]))
        assert "faster" not in {cell.outcome for cell in cells.values()}, seed


def test_a_pool_whose_workers_do_not_start_or_end_is_left_out() -> None:
    machine = Machine(unable=["gevent:2"], lose=["threads:4"])
    pool_map = draw_map(machine, shares=[0.0, 0.9], concurrencies=[2, 4])
    assert pool_map.left_out == {
        "gevent:2": "its workers did not start",
        "threads:4": "its workers were lost",
    }
    assert pool_map.complete
    cells = cells_of(pool_map)
    assert {pool.pool for pool in cells[2, 0.0].pools} == {"prefork", "threads"}
    assert {pool.pool for pool in cells[4, 0.0].pools} == {"prefork", "gevent"}
    assert cells[2, 0.0].outcome == cells[4, 0.0].outcome == "faster"


def test_a_map_without_any_worker_has_no_laps() -> None:
    unable = [f"{pool}:2" for pool in MESSAGE_S]
    assert draw_map(Machine(unable=unable), concurrencies=[2]).laps == ()
