"""Finds the winner of each cell of a pool map, or says why there is none. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, Literal

from poolrace.producer.analysis.pool_map_comparison import Noise, compare_with_noise
from poolrace.producer.analysis.pool_map_model import MapModel
from poolrace.producer.analysis.race_summary import BUSY_BELOW
from poolrace.producer.analysis.significance import PairedResult, compare_paired
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.pool_map import MapLap, PoolMap

Outcome = Literal["faster", "same", "not distinguishable", "predicted", "not measured"]
"""Result of a cell: one pool is faster than all others; the fastest pools are equally fast; the
laps do not decide; no laps, but the model and the neighbours decide; no laps."""

DECIDED = ("faster", "same")
"""Outcomes of cells that have a winner."""


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
    laps: int
    """Laps that every pool has, at least."""
    cores_left: float | None
    """CPU cores that other processes left free, median over the laps; ``None`` if not known."""
    busy: bool
    """Whether other processes left the laps too few cores."""
    expected: frozenset[str]
    """Pools that the model predicts to be the fastest."""
    outcome: Outcome = "not measured"
    tied: tuple[PoolSummary, ...] = ()
    """Pools that are, or may be, as fast as the fastest one, which comes first."""

    @property
    def winner(self) -> PoolSummary | None:
        """The fastest pool, or the one with the least memory of those that are equally fast."""
        if self.outcome not in DECIDED:
            return None
        return min(self.tied, key=lambda summary: summary.peak_memory_bytes)

    def speeds_of(self, pool: str) -> tuple[float, ...]:
        """Items/s of each lap of a pool in this cell."""
        return next((summary.speeds for summary in self.pools if summary.pool == pool), ())

    def to_json(self) -> dict[str, Any]:
        """The cell as a JSON object."""
        return {
            "share": self.share,
            "concurrency": self.concurrency,
            "outcome": self.outcome,
            "winner": self.winner.pool if self.winner else None,
            "alike": [summary.pool for summary in self.tied],
            "expected": sorted(self.expected),
            "laps": self.laps,
            "cores_left": self.cores_left,
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

    A row is left out if none of its cells is measured or predicted.
    """
    rows = judge_cells(pool_map)
    return [row for row in rows if any(cell.outcome != "not measured" for cell in row)]


def judge_cells(pool_map: PoolMap) -> list[list[MapCell]]:
    """All cells, in one row for each concurrency, ascending."""
    model = MapModel.fit(pool_map)
    laps: dict[tuple[int, float], list[MapLap]] = {}
    for map_lap in pool_map.laps:
        laps.setdefault((map_lap.lap.candidate.concurrency, map_lap.share), []).append(map_lap)
    cells = {
        (row, column): _measured(
            pool_map, model, share, concurrency, laps.get((concurrency, share))
        )
        for row, concurrency in enumerate(pool_map.concurrencies)
        for column, share in enumerate(pool_map.shares)
    }
    judged = {place: _judged(cell, _noise(cells, place), model) for place, cell in cells.items()}
    return [
        [_predicted(judged, (row, column)) for column in range(len(pool_map.shares))]
        for row in range(len(pool_map.concurrencies))
    ]


_Place = tuple[int, int]
"""Row and column of a cell."""


def _measured(
    pool_map: PoolMap,
    model: MapModel,
    share: float,
    concurrency: int,
    laps: Sequence[MapLap] | None,
) -> MapCell:
    """The figures of a cell, before its outcome is known."""
    by_pool: dict[str, list[MapLap]] = {}
    for map_lap in laps or ():
        by_pool.setdefault(map_lap.lap.candidate.pool, []).append(map_lap)
    most = max(map(len, by_pool.values()), default=0)
    pools = [
        pool
        for pool in dict.fromkeys(map_lap.lap.candidate.pool for map_lap in pool_map.laps)
        if str(Candidate(pool, concurrency)) not in pool_map.left_out
        or (by_pool and len(by_pool.get(pool, ())) == most)
    ]
    summaries = [_summary(pool, by_pool[pool]) for pool in pools if pool in by_pool]
    cores_left = [one.cores_left for one in laps or () if one.cores_left is not None]
    free = median(cores_left) if cores_left else None
    return MapCell(
        share=share,
        concurrency=concurrency,
        pools=sorted(summaries, key=lambda summary: -summary.items_per_s),
        laps=min((len(by_pool.get(pool, ())) for pool in pools), default=0),
        cores_left=free,
        busy=free is not None and free < BUSY_BELOW * model.cores,
        expected=model.fastest(pools, share, concurrency),
    )


def _noise(cells: Mapping[_Place, MapCell], place: _Place) -> Noise:
    """The noise of a cell and of the cells beside, above and below it."""
    row, column = place
    places = (
        (row, column),
        (row, column - 1),
        (row, column + 1),
        (row - 1, column),
        (row + 1, column),
    )
    near = (cells[place] for place in places if place in cells)
    return Noise.pooled(Noise.of_cell([pool.speeds for pool in cell.pools]) for cell in near)


def _judged(cell: MapCell, noise: Noise, model: MapModel) -> MapCell:
    """The cell with the outcome of its laps."""
    if not cell.laps:
        return cell
    leader, *others = cell.pools
    results = {pool.pool: _compare(cell, pool, noise, model) for pool in others}
    tied = (leader, *(pool for pool in others if results[pool.pool] != PairedResult.FASTER))
    outcome: Outcome = "faster" if len(tied) == 1 else "same"
    if PairedResult.UNDECIDED in results.values() or not results:
        outcome = "not distinguishable"
    return replace(cell, outcome=outcome, tied=tied)


def _compare(cell: MapCell, other: PoolSummary, noise: Noise, model: MapModel) -> PairedResult:
    """Whether the fastest pool of a cell is faster than another one, or as fast.

    Laps and model decide together if they agree. If not, the laps alone must decide, and they
    cannot on a busy machine, where pools with many processes take cores from other programs.
    """
    leader = cell.pools[0]
    with_noise = compare_with_noise(leader.speeds, other.speeds, noise)
    alone = compare_paired(leader.speeds, other.speeds)
    predicted = model.compare(leader.pool, other.pool, cell.share, cell.concurrency)
    if predicted == with_noise != PairedResult.SLOWER:
        return predicted
    if alone == PairedResult.SLOWER or (cell.busy and alone != predicted):
        return PairedResult.UNDECIDED
    return alone


def _predicted(cells: Mapping[_Place, MapCell], place: _Place) -> MapCell:
    """The cell; without laps its outcome is predicted if model and neighbours decide it.

    They do if the model predicts one winner, if it does so for a nearest measured cell of the same
    waiting share, which that pool wins, and if no other pool wins such a cell.
    """
    cell = cells[place]
    if cell.outcome != "not measured" or len(cell.expected) != 1:
        return cell
    near = [other for other in _nearest_measured(cells, place) if other.outcome in DECIDED]
    decided = near and all(
        other.outcome == "faster" and {other.tied[0].pool} == other.expected == cell.expected
        for other in near
    )
    return replace(cell, outcome="predicted") if decided else cell


def _nearest_measured(cells: Mapping[_Place, MapCell], place: _Place) -> Iterator[MapCell]:
    """The nearest measured cells of the same waiting share, with fewer and with more slots."""
    row, column = place
    for step in (-1, 1):
        other = row + step
        while (other, column) in cells and not cells[other, column].laps:
            other += step
        if (other, column) in cells:
            yield cells[other, column]


def _summary(pool: str, laps: Sequence[MapLap]) -> PoolSummary:
    speeds = tuple(one.lap.items_per_s for one in laps)
    return PoolSummary(pool, median(speeds), max(one.lap.peak_memory_bytes for one in laps), speeds)
