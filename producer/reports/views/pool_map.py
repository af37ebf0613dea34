"""Report of a pool map: the winner of each cell, as table, sentences and chart."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from poolrace.producer.analysis.pool_map_winners import MapCell, PoolSummary
from poolrace.producer.reports.drawing.svg import Cell, Drawing, grid
from poolrace.producer.results.pool_map import PoolMap

COLUMNS = (
    "waiting_share", "pool", "concurrency", "round", "items_per_s", "wall_s", "cpu_s",
    "peak_memory_bytes",
)  # fmt: skip

TITLE = "which pool wins, by waiting and concurrency"

PROOF = (
    "the winner of a cell is the fastest pool; if other pools may be within 5 % of its speed,"
    " it is the one with the least memory"
)


def summary(pool_map: PoolMap) -> str:
    """One line that says which task was raced, and how often."""
    return (
        f"a task of {1000 * pool_map.item_s:g} ms that computes, then waits; {pool_map.repeat}"
        " interleaved lap(s) of each pool in each cell"
    )


def header(pool_map: PoolMap) -> tuple[str, ...]:
    """Column headers of the table: one column per waiting share."""
    return ("slots", *(f"waits {share:.0%}" for share in pool_map.shares))


def cells(rows: Sequence[Sequence[MapCell]]) -> list[tuple[str, ...]]:
    """Table rows, one per concurrency: the winner of each cell, its speed, and tied pools."""
    return [(str(row[0].concurrency), *map(_text, row)) for row in rows if row]


def findings(rows: Sequence[Sequence[MapCell]]) -> list[str]:
    """One sentence per pool: where it wins, and its largest lead."""
    map_cells = [cell for row in rows for cell in row]
    wins = Counter(cell.winner.pool for cell in map_cells)
    return [
        *(_wins_of(pool, map_cells) for pool, _ in wins.most_common()),
        *_memory_saved(map_cells),
    ]


def raw(pool_map: PoolMap) -> list[list[Any]]:
    """Raw values of all laps, in the columns of ``COLUMNS``."""
    return [
        [
            *(map_lap.share, map_lap.lap.candidate.pool, map_lap.lap.candidate.concurrency),
            *(map_lap.lap.round, map_lap.lap.items_per_s, map_lap.lap.wall_s, map_lap.lap.cpu_s),
            map_lap.lap.peak_memory_bytes,
        ]
        for map_lap in pool_map.laps
    ]


def figures(pool_map: PoolMap, rows: Sequence[Sequence[MapCell]]) -> dict[str, Any]:
    """The map as a JSON object."""
    return {
        "item_s": pool_map.item_s,
        "shares": pool_map.shares,
        "concurrencies": pool_map.concurrencies,
        "spots": [cell.to_json() for row in rows for cell in row],
        "left_out": pool_map.left_out,
    }


def chart(pool_map: PoolMap, rows: Sequence[Sequence[MapCell]]) -> Drawing | None:
    """Grid of cells in the colour of the winner, paler where other pools are tied with it."""
    if not rows:
        return None
    pools = sorted({cell.winner.pool for row in rows for cell in row})
    shares = [f"{share:.0%}" for share in pool_map.shares]
    return grid(
        TITLE,
        ("share of the task's time that it waits", "slots"),
        (shares, [str(row[0].concurrency) for row in rows]),
        [[_drawn(cell) for cell in row] for row in rows],
        [(pool, f"{pool} wins") for pool in pools],
    )


def _drawn(cell: MapCell) -> Cell:
    """The cell of the chart."""
    pool = cell.winner.pool
    speed = f"{cell.winner.items_per_s:.3g}/s"
    if tied := _tied_pools(cell):
        return Cell(f"{pool} alike", speed, tied)
    if len(cell.pools) < 2:
        return Cell(pool, speed)
    second = _second(cell)
    return Cell(pool, speed, f"{_ratio(cell.winner, second):.2f} x {second.pool}")


def _text(cell: MapCell) -> str:
    """The cell of the table."""
    tied = _tied_pools(cell)
    suffix = f" ({tied})" if tied else ""
    return f"{cell.winner.pool} {cell.winner.items_per_s:.3g}/s{suffix}"


def _tied_pools(cell: MapCell) -> str:
    """The pools that are tied with the winner."""
    other_pools = [summary.pool for summary in cell.tied if summary != cell.winner]
    if other_pools and len(cell.tied) == len(cell.pools):
        return "all tied"
    return f"= {', '.join(other_pools)}" if other_pools else ""


def _wins_of(pool: str, map_cells: Sequence[MapCell]) -> str:
    """The waiting shares at which a pool wins, and its largest lead."""
    won = [cell for cell in map_cells if cell.winner.pool == pool]
    low, high = min(cell.share for cell in won), max(cell.share for cell in won)
    untied = [cell for cell in won if len(cell.tied) == 1 and len(cell.pools) > 1]
    shares = f"{low:.0%} to {high:.0%}" if low < high else f"{low:.0%}"
    wins = f"{pool} wins {len(won)} of {len(map_cells)} cells, at {shares} of waiting"
    if not untied:
        return f"{wins}, always by memory alone: other pools are equally fast."
    best = max(untied, key=lambda cell: _ratio(cell.winner, _second(cell)))
    second = _second(best)
    return (
        f"{wins}; its largest lead is {_ratio(best.winner, second):.2f} times the speed of"
        f" {second.pool}, at {best.share:.0%} and {best.concurrency} slots."
    )


def _memory_saved(map_cells: Sequence[MapCell]) -> Iterator[str]:
    """The largest difference in memory between tied pools."""
    tied = [cell for cell in map_cells if len(cell.tied) > 1]
    if not tied:
        return
    best = max(tied, key=lambda cell: _mib(_largest(cell)) / _mib(cell.winner))
    largest = _largest(best)
    yield (
        f"Where several pools are equally fast, memory decides: at {best.share:.0%} and"
        f" {best.concurrency} slots {best.winner.pool} takes {_mib(best.winner):.0f} MiB,"
        f" {largest.pool} {_mib(largest):.0f} MiB."
    )


def _largest(cell: MapCell) -> PoolSummary:
    """The tied pool with the most memory."""
    return max(cell.tied, key=lambda summary: summary.peak_memory_bytes)


def _mib(summary: PoolSummary) -> float:
    return max(summary.peak_memory_bytes, 1) / 2**20


def _second(cell: MapCell) -> PoolSummary:
    """The fastest pool besides the winner."""
    return next(summary for summary in cell.pools if summary != cell.winner)


def _ratio(summary: PoolSummary, other: PoolSummary) -> float:
    return summary.items_per_s / max(other.items_per_s, 1e-9)
