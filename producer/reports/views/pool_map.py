"""Report of a pool map: the winner of each cell, as table and chart."""

from collections.abc import Sequence
from typing import Any

from poolrace.producer.analysis.pool_map_winners import MapCell, PoolSummary
from poolrace.producer.reports.drawing.svg import Cell, Drawing, grid
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


NO_WINNER = "solo alike"
"""CSS class of a cell without a winner: pale grey, since no map has the pool solo."""


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


def chart(pool_map: PoolMap, rows: Sequence[Sequence[MapCell]]) -> Drawing | None:
    """Grid of cells in the colour of the winner, paler where other pools are as fast.

    A cell without a winner has no pool's colour. Each cell names its winner.
    """
    if not rows:
        return None
    map_cells = [cell for row in rows for cell in row]
    pools = sorted({cell.winner.pool for cell in map_cells if cell.winner})
    legend = [(pool, f"{pool} wins") for pool in pools]
    if not all(cell.winner for cell in map_cells):
        legend.append((NO_WINNER, "no winner"))
    shares = [f"{share:.0%}" for share in pool_map.shares]
    return grid(
        TITLE,
        ("share of the task's time that it waits", "slots"),
        (shares, [str(row[0].concurrency) for row in rows]),
        [[_drawn(cell) for cell in row] for row in rows],
        legend,
    )


def second(cell: MapCell) -> PoolSummary:
    """The fastest pool of a cell besides its winner."""
    return next(summary for summary in cell.pools if summary != cell.winner)


def ratio(summary: PoolSummary, other: PoolSummary) -> float:
    """Ratio of the speeds of two pools."""
    return summary.items_per_s / max(other.items_per_s, 1e-9)


def _drawn(cell: MapCell) -> Cell:
    """The cell of the chart."""
    if cell.winner is None:
        return Cell(NO_WINNER, _no_winner(cell, "unclear"), _possible(cell))
    text = _winner(cell.winner)
    if cell.outcome == "same":
        return Cell(f"{cell.winner.pool} alike", text, _tied_pools(cell))
    other = second(cell)
    return Cell(cell.winner.pool, text, f"{ratio(cell.winner, other):.2f} x {other.pool}")


def _text(cell: MapCell) -> str:
    """The cell of the table."""
    if cell.winner is None:
        possible = _possible(cell)
        return _no_winner(cell, "not distinguishable") + (f": {possible}" if possible else "")
    tied = f" ({_tied_pools(cell)})" if cell.outcome == "same" else ""
    return f"{_winner(cell.winner)}{tied}"


def _winner(summary: PoolSummary) -> str:
    speed = summary.items_per_s
    return f"{summary.pool} {speed:.0f}/s" if speed >= 100 else f"{summary.pool} {speed:.3g}/s"


def _no_winner(cell: MapCell, not_distinguishable: str) -> str:
    return not_distinguishable if cell.outcome == "not distinguishable" else cell.outcome


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
