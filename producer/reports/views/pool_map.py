"""Report of a pool map: the winner of each cell as a table."""

from collections.abc import Sequence
from typing import Any

from poolrace.producer.analysis.pool_map_winners import MapCell, PoolSummary
from poolrace.producer.reports.views.column import Column
from poolrace.producer.results.pool_map import PoolMap

COLUMNS = (
    "waiting_share", "pool", "concurrency", "round", "items_per_s", "wall_s", "cpu_s",
    "peak_memory_bytes", "cores_left",
)  # fmt: skip

TITLE = "which pool wins, by waiting and concurrency"

PROOF = (
    "the winner of a cell is the pool that is more than 10 % faster than all others; where the"
    " fastest pools are equally fast, it is the one of them with the least memory"
)


def summary(pool_map: PoolMap, rows: Sequence[Sequence[MapCell]]) -> str:
    """One line that says which task was raced, and how often."""
    numbers = sorted({cell.laps for row in rows for cell in row if cell.laps})
    laps = " to ".join(dict.fromkeys(str(number) for number in (*numbers[:1], *numbers[-1:])))
    return (
        f"a task of {1000 * pool_map.item_s:g} ms that computes, then waits; {laps or 0}"
        " interleaved lap(s) of each pool in each cell"
    )


def table(pool_map: PoolMap) -> tuple[Column, ...]:
    """The table's columns: one per waiting share, all of the same priority."""
    return (Column("slots"), *(Column(f"waits {share:.0%}") for share in pool_map.shares))


def cells(rows: Sequence[Sequence[MapCell]]) -> list[tuple[str, ...]]:
    """Table rows, one per concurrency: the winner of each cell, its speed, and tied pools."""
    return [(str(row[0].concurrency), *map(_text, row)) for row in rows if row]


def raw(pool_map: PoolMap) -> list[list[Any]]:
    """Raw values of all laps, in the columns of ``COLUMNS``."""
    return [
        [
            *(map_lap.share, map_lap.lap.candidate.pool, map_lap.lap.candidate.concurrency),
            *(map_lap.lap.round, map_lap.lap.items_per_s, map_lap.lap.wall_s, map_lap.lap.cpu_s),
            *(map_lap.lap.peak_memory_bytes, map_lap.cores_left),
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


def second(cell: MapCell) -> PoolSummary:
    """The fastest pool of a cell besides its winner."""
    return next(summary for summary in cell.pools if summary != cell.winner)


def ratio(summary: PoolSummary, other: PoolSummary) -> float:
    """Ratio of the speeds of two pools."""
    return summary.items_per_s / max(other.items_per_s, 1e-9)


def _text(cell: MapCell) -> str:
    """The cell of the table."""
    if cell.winner is None:
        possible = _possible(cell)
        return cell.outcome + (f": {possible}" if possible else "")
    tied = f" ({_tied_pools(cell)})" if cell.outcome == "same" else ""
    return f"{_winner(cell.winner)}{tied}"


def _winner(summary: PoolSummary) -> str:
    speed = summary.items_per_s
    return f"{summary.pool} {speed:.0f}/s" if speed >= 100 else f"{summary.pool} {speed:.3g}/s"


def _possible(cell: MapCell) -> str:
    """The pools that may win a cell without a winner; empty if all may."""
    pools = [summary.pool for summary in cell.tied]
    all_pools = {summary.pool for summary in cell.pools}
    if cell.outcome == "predicted":
        pools = sorted(cell.expected)
        return pools[0] if len(pools) == 1 else f"{len(pools)} pools tied"
    return " or ".join(pools) if len(pools) < len(all_pools) else ""


def _tied_pools(cell: MapCell) -> str:
    """The pools that are as fast as the winner."""
    other_pools = [summary.pool for summary in cell.tied if summary != cell.winner]
    return "all tied" if len(cell.tied) == len(cell.pools) else f"= {', '.join(other_pools)}"
