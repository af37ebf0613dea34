"""Finds the winner of each cell of a pool map. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from poolrace.producer.analysis.significance import SAME_SPEED, may_be_as_fast
from poolrace.producer.results.pool_map import PoolMap
from poolrace.producer.results.race import Lap


@dataclass(frozen=True)
class PoolSummary:
    """Figures of one pool in one cell: medians over its laps, and its largest memory peak."""

    pool: str
    items_per_s: float
    peak_memory_bytes: int
    speeds: tuple[float, ...]
    """Items/s of each lap."""


@dataclass(frozen=True)
class MapCell:
    """One cell of the map: the pools measured at one waiting share and one concurrency."""

    share: float
    concurrency: int
    pools: list[PoolSummary]
    """Pools of the cell, the fastest first."""

    @property
    def fastest(self) -> PoolSummary:
        """The pool with the most items/s."""
        return self.pools[0]

    @property
    def tied(self) -> list[PoolSummary]:
        """The fastest pool, and those that may be within 5 % of its speed."""
        reference = self.fastest.speeds
        return [
            self.fastest,
            *(
                summary
                for summary in self.pools[1:]
                if may_be_as_fast(summary.speeds, reference, SAME_SPEED)
            ),
        ]

    @property
    def winner(self) -> PoolSummary:
        """The tied pool with the least memory."""
        return min(self.tied, key=lambda summary: summary.peak_memory_bytes)

    def to_json(self) -> dict[str, Any]:
        """The cell as a JSON object."""
        return {
            "share": self.share,
            "concurrency": self.concurrency,
            "winner": self.winner.pool,
            "alike": [summary.pool for summary in self.tied],
            "pools": {
                summary.pool: {
                    "items_per_s": summary.items_per_s,
                    "peak_memory_bytes": summary.peak_memory_bytes,
                }
                for summary in self.pools
            },
        }


def map_cells(pool_map: PoolMap) -> list[list[MapCell]]:
    """One row for each concurrency, ascending, with one cell for each waiting share.

    A row is left out if one of its cells has no laps.
    """
    laps: dict[tuple[int, float], dict[str, list[Lap]]] = {}
    for map_lap in pool_map.laps:
        candidate = map_lap.lap.candidate
        by_pool = laps.setdefault((candidate.concurrency, map_lap.share), {})
        by_pool.setdefault(candidate.pool, []).append(map_lap.lap)
    return [
        [_cell(share, concurrency, laps[concurrency, share]) for share in pool_map.shares]
        for concurrency in pool_map.concurrencies
        if all((concurrency, share) in laps for share in pool_map.shares)
    ]


def _cell(share: float, concurrency: int, by_pool: dict[str, list[Lap]]) -> MapCell:
    summaries = [_summary(pool, laps) for pool, laps in by_pool.items()]
    return MapCell(share, concurrency, sorted(summaries, key=lambda pool: -pool.items_per_s))


def _summary(pool: str, laps: Sequence[Lap]) -> PoolSummary:
    speeds = tuple(lap.items_per_s for lap in laps)
    return PoolSummary(pool, median(speeds), max(lap.peak_memory_bytes for lap in laps), speeds)
