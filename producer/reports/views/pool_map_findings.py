"""Sentences of a pool map's report: wins, ties, cells without a winner, background load."""

from collections import Counter
from collections.abc import Iterator, Sequence

from poolrace.producer.analysis.pool_map_comparison import MIN_LAPS
from poolrace.producer.analysis.pool_map_winners import MapCell, Outcome, PoolSummary, judge_cells
from poolrace.producer.reports.views.pool_map import ratio, second
from poolrace.producer.results.pool_map import PoolMap
from poolrace.workers.host_facts import usable_cores

MAX_NAMED = 6
"""Cells that a sentence names, at most."""


def findings(pool_map: PoolMap) -> list[str]:
    """The sentences: first what limits the map, then its winners, then cells without one."""
    map_cells = [cell for row in judge_cells(pool_map) for cell in row]
    wins = Counter(cell.winner.pool for cell in _with(map_cells, "faster") if cell.winner)
    return [
        *_load(pool_map, map_cells),
        *(_wins_of(pool, map_cells) for pool, _ in wins.most_common()),
        *_ties(map_cells),
        *_unclear(pool_map, map_cells),
        *_predicted(map_cells),
        *_not_measured(pool_map, map_cells),
    ]


def _load(pool_map: PoolMap, map_cells: Sequence[MapCell]) -> Iterator[str]:
    """The background load, if other processes left too few cores."""
    busy = [cell for cell in map_cells if cell.busy]
    if not busy:
        return
    least = min(cell.cores_left for cell in busy if cell.cores_left is not None)
    winners = " There a pool wins only if its predicted speed on a quiet machine says so, too."
    yield (
        f"The machine was busy in {_of(busy, map_cells)}: other processes left {least:.1f} of"
        f" {usable_cores(pool_map.environment.hosts):g} cores, at worst."
        f"{winners if any(cell.winner for cell in busy) else ''}"
    )


def _wins_of(pool: str, map_cells: Sequence[MapCell]) -> str:
    """The waiting shares at which a pool is the fastest, and its largest lead."""
    won = [
        (cell, cell.winner)
        for cell in _with(map_cells, "faster")
        if cell.winner and cell.winner.pool == pool
    ]
    low, high = min(cell.share for cell, _ in won), max(cell.share for cell, _ in won)
    shares = f"{low:.0%} to {high:.0%}" if low < high else f"{low:.0%}"
    best, winner = max(won, key=lambda pair: ratio(pair[1], second(pair[0])))
    other = second(best)
    return (
        f"{pool} wins {_of(won, map_cells)}, at {shares} of waiting; its largest lead is"
        f" {ratio(winner, other):.2f} times the speed of {other.pool}, at {_place(best)}."
    )


def _ties(map_cells: Sequence[MapCell]) -> Iterator[str]:
    """The cells in which memory decides, and the most memory that this saves."""
    tied = [(cell, cell.winner) for cell in _with(map_cells, "same") if cell.winner]
    if not tied:
        return
    wins = Counter(winner.pool for _, winner in tied)
    pools = ", ".join(f"{pool} in {number}" for pool, number in wins.most_common())
    best, winner = max(tied, key=lambda pair: _mib(_largest(pair[0])) / _mib(pair[1]))
    largest = _largest(best)
    yield (
        f"In {_of(tied, map_cells)} the fastest pools are equally fast, to 10 %, and the one with"
        f" the least memory is {pools}: at {_place(best)} {winner.pool} takes {_mib(winner):.0f}"
        f" MiB, {largest.pool} {_mib(largest):.0f} MiB."
    )


def _unclear(pool_map: PoolMap, map_cells: Sequence[MapCell]) -> Iterator[str]:
    """The cells whose laps do not decide."""
    unclear = _with(map_cells, "not distinguishable")
    if not unclear:
        return
    if pool_map.repeat < MIN_LAPS:
        way_out = "One lap does not show which pool is faster; give --repeat 2 or more."
    elif all(cell.busy for cell in unclear):
        way_out = "Measure again on a quiet machine."
    else:
        way_out = "More laps may decide: give a higher --repeat and --budget-s."
    yield (
        f"In {_of(unclear, map_cells)} the fastest pool is not distinguishable:"
        f" {_places(unclear)}. {way_out}"
    )


def _predicted(map_cells: Sequence[MapCell]) -> Iterator[str]:
    """The cells without laps that model and neighbours decide."""
    if predicted := _with(map_cells, "predicted"):
        yield (
            f"No laps were run in {_of(predicted, map_cells)}, which their neighbours and the"
            f" predicted speeds decide: {_places(predicted)}."
        )


def _not_measured(pool_map: PoolMap, map_cells: Sequence[MapCell]) -> Iterator[str]:
    """The cells without laps, unless all of their pools were left out."""
    missing = _with(map_cells, "not measured")
    if missing and not pool_map.complete:
        way_out = "" if pool_map.interruption else " Give a higher --budget-s."
        yield f"{_of(missing, map_cells)} were not measured: {_places(missing)}.{way_out}"


def _with(map_cells: Sequence[MapCell], outcome: Outcome) -> list[MapCell]:
    """The cells with this outcome."""
    return [cell for cell in map_cells if cell.outcome == outcome]


def _of(some: Sequence[object], map_cells: Sequence[MapCell]) -> str:
    return f"{len(some)} of {len(map_cells)} cells"


def _places(map_cells: Sequence[MapCell]) -> str:
    """Names of the first cells, and the number of the other ones."""
    named = [f"{cell.concurrency} slots at {cell.share:.0%}" for cell in map_cells[:MAX_NAMED]]
    more = len(map_cells) - len(named)
    return ", ".join([*named, *([f"and {more} more"] if more else [])])


def _place(cell: MapCell) -> str:
    return f"{cell.share:.0%} and {cell.concurrency} slots"


def _largest(cell: MapCell) -> PoolSummary:
    """The tied pool with the most memory."""
    return max(cell.tied, key=lambda summary: summary.peak_memory_bytes)


def _mib(summary: PoolSummary) -> float:
    return max(summary.peak_memory_bytes, 1) / 2**20
