"""The winner of each cell of a pool map. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from poolrace.producer.analysis.significance import NEAR, may_equal
from poolrace.producer.results.pool_map import PoolMap
from poolrace.producer.results.race import Lap


@dataclass(frozen=True)
class PoolSummary:
    """A pool at a spot: medians over its laps, and the largest of its memory peaks."""

    pool: str
    items_per_s: float
    peak_memory_bytes: int
    speeds: tuple[float, ...]
    """Items/s, a lap each."""


@dataclass(frozen=True)
class MapCell:
    """Who raced at a share of waiting and a concurrency."""

    share: float
    concurrency: int
    entrants: list[PoolSummary]
    """The fastest first."""

    @property
    def fastest(self) -> PoolSummary:
        """The one with the most items a second."""
        return self.entrants[0]

    @property
    def alike(self) -> list[PoolSummary]:
        """The fastest and those that are as fast to 5 %, as far as can be told."""
        own = self.fastest.speeds
        return [
            self.fastest,
            *(it for it in self.entrants[1:] if may_equal(it.speeds, own, NEAR)),
        ]

    @property
    def winner(self) -> PoolSummary:
        """Of those that are alike the one with the least memory."""
        return min(self.alike, key=lambda it: it.peak_memory_bytes)

    def to_json(self) -> dict[str, Any]:
        """The spot as a JSON object."""
        return {
            "share": self.share,
            "concurrency": self.concurrency,
            "winner": self.winner.pool,
            "alike": [it.pool for it in self.alike],
            "pools": {
                it.pool: {
                    "items_per_s": it.items_per_s,
                    "peak_memory_bytes": it.peak_memory_bytes,
                }
                for it in self.entrants
            },
        }


def map_cells(found: PoolMap) -> list[list[MapCell]]:
    """A line for each concurrency, ascending, with a spot for each share at which anybody ran."""
    laps: dict[tuple[int, float], dict[str, list[Lap]]] = {}
    for it in found.laps:
        place = laps.setdefault((it.lap.candidate.concurrency, it.share), {})
        place.setdefault(it.lap.candidate.pool, []).append(it.lap)
    return [
        [_spot(share, number, laps[number, share]) for share in found.shares]
        for number in found.concurrencies
        if all((number, share) in laps for share in found.shares)
    ]


def _spot(share: float, concurrency: int, by_pool: dict[str, list[Lap]]) -> MapCell:
    entrants = [_entrant(pool, laps) for pool, laps in by_pool.items()]
    return MapCell(share, concurrency, sorted(entrants, key=lambda it: -it.items_per_s))


def _entrant(pool: str, laps: Sequence[Lap]) -> PoolSummary:
    speeds = tuple(lap.items_per_s for lap in laps)
    return PoolSummary(pool, median(speeds), max(lap.peak_memory_bytes for lap in laps), speeds)
