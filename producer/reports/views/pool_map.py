"""A map: who wins at which share of waiting and which concurrency, as table, words and grid."""

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


def summary(found: PoolMap) -> str:
    """What was raced, in one line."""
    return (
        f"a task of {1000 * found.item_s:g} ms that computes, then waits; {found.repeat}"
        " interleaved lap(s) of each pool at each spot"
    )


PROOF = (
    "a spot belongs to the fastest pool or, if others are as fast to 5 %, as far as its laps can"
    " tell, to the one of them with the least memory"
)


def header(found: PoolMap) -> tuple[str, ...]:
    """A column a share."""
    return ("slots", *(f"waits {share:.0%}" for share in found.shares))


def cells(lines: Sequence[Sequence[MapCell]]) -> list[tuple[str, ...]]:
    """Winner, others as fast, and the winner's speed; the fewest slots first."""
    return [(str(line[0].concurrency), *map(_words, line)) for line in lines if line]


def findings(lines: Sequence[Sequence[MapCell]]) -> list[str]:
    """A sentence a pool: where it wins, and by how much at most."""
    every = [spot for line in lines for spot in line]
    counts = Counter(spot.winner.pool for spot in every)
    return [
        *(_where(pool, every) for pool, _ in counts.most_common()),
        *_saved(every),
    ]


def raw(found: PoolMap) -> list[list[Any]]:
    """The laps, in the order of ``COLUMNS``."""
    return [
        [
            *(it.share, it.lap.candidate.pool, it.lap.candidate.concurrency, it.lap.round),
            *(it.lap.items_per_s, it.lap.wall_s, it.lap.cpu_s, it.lap.peak_memory_bytes),
        ]
        for it in found.laps
    ]


def figures(found: PoolMap, lines: Sequence[Sequence[MapCell]]) -> dict[str, Any]:
    """The map for scripts."""
    return {
        "item_s": found.item_s,
        "shares": found.shares,
        "concurrencies": found.concurrencies,
        "map_cells": [spot.to_json() for line in lines for spot in line],
        "left_out": found.left_out,
    }


def chart(found: PoolMap, lines: Sequence[Sequence[MapCell]]) -> Drawing | None:
    """A field a spot in the colour of the winner, paler where others are as fast."""
    if not lines:
        return None
    pools = sorted({spot.winner.pool for line in lines for spot in line})
    return grid(
        TITLE,
        ("share of its time that the task waits", "slots"),
        ([f"{share:.0%}" for share in found.shares], [str(line[0].concurrency) for line in lines]),
        [[_field(spot) for spot in line] for line in lines],
        [(pool, f"{pool} wins") for pool in pools],
    )


def _field(spot: MapCell) -> Cell:
    pool = spot.winner.pool
    speed = f"{spot.winner.items_per_s:.3g}/s"
    if equals := _equals(spot):
        return Cell(f"{pool} alike", speed, equals)
    if len(spot.entrants) < 2:
        return Cell(pool, speed)
    other = _next(spot)
    return Cell(pool, speed, f"{_ratio(spot.winner, other):.2f} x {other.pool}")


def _words(spot: MapCell) -> str:
    equals = _equals(spot)
    more = f" ({equals})" if equals else ""
    return f"{spot.winner.pool} {spot.winner.items_per_s:.3g}/s{more}"


def _equals(spot: MapCell) -> str:
    """Who is as fast as the winner."""
    others = [it.pool for it in spot.alike if it != spot.winner]
    if others and len(spot.alike) == len(spot.entrants):
        return "all alike"
    return f"= {', '.join(others)}" if others else ""


def _where(pool: str, every: Sequence[MapCell]) -> str:
    """The shares between which it wins, and its largest lead."""
    won = [spot for spot in every if spot.winner.pool == pool]
    low, high = min(spot.share for spot in won), max(spot.share for spot in won)
    alone = [spot for spot in won if len(spot.alike) == 1 and len(spot.entrants) > 1]
    between = f"{low:.0%} to {high:.0%}" if low < high else f"{low:.0%}"
    said = f"{pool} wins {len(won)} of {len(every)} map_cells, at {between} of waiting"
    if not alone:
        return f"{said}, each time by memory alone: others are as fast."
    best = max(alone, key=lambda spot: _ratio(spot.winner, _next(spot)))
    return (
        f"{said}; its largest lead is {_ratio(best.winner, _next(best)):.2f} times"
        f" {_next(best).pool}, at {best.share:.0%} and {best.concurrency} slots."
    )


def _saved(every: Sequence[MapCell]) -> Iterator[str]:
    """What the choice among equals is worth in memory, at most."""
    tied = [spot for spot in every if len(spot.alike) > 1]
    if not tied:
        return
    best = max(tied, key=lambda spot: _mib(_dearest(spot)) / _mib(spot.winner))
    dear = _dearest(best)
    yield (
        f"Where several are as fast, memory decides: at {best.share:.0%} and {best.concurrency}"
        f" slots {best.winner.pool} takes {_mib(best.winner):.0f} MiB, {dear.pool}"
        f" {_mib(dear):.0f} MiB."
    )


def _dearest(spot: MapCell) -> PoolSummary:
    return max(spot.alike, key=lambda it: it.peak_memory_bytes)


def _mib(it: PoolSummary) -> float:
    return it.peak_memory_bytes / 2**20


def _next(spot: MapCell) -> PoolSummary:
    return next(it for it in spot.entrants if it != spot.winner)


def _ratio(one: PoolSummary, other: PoolSummary) -> float:
    return one.items_per_s / max(other.items_per_s, 1e-9)
