"""Makes the map: every pool at every spot, in turn, on workers of this machine."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from poolrace.producer.environment import describe_here, now
from poolrace.producer.race import pool_map_app
from poolrace.producer.race.app_info import App, probe
from poolrace.producer.race.app_process import Target
from poolrace.producer.race.items import Item
from poolrace.producer.race.sandbox import Sandbox, place
from poolrace.producer.race.session import RaceOptions, RaceSession
from poolrace.producer.results.candidate import CONCURRENT, Candidate
from poolrace.producer.results.pool_map import MapLap, PoolMap
from poolrace.producer.rounds import rotated
from poolrace.workers.errors import ClusterError

Step = Callable[[str], None]
"""Called before each lap with what is measured."""


@dataclass(frozen=True)
class MapOptions:
    """What the map covers."""

    item_s: float
    shares: Sequence[float]
    concurrencies: Sequence[int]
    repeat: int = 3

    @property
    def laps(self) -> int:
        """How many there will be."""
        return len(self.shares) * len(self.concurrencies) * len(CONCURRENT) * self.repeat


def make_map(wish: MapOptions, step: Step = lambda _: None) -> PoolMap:
    """Measure; raises ``ClusterError`` if no worker starts."""
    made_at = now()
    target = Target(pool_map_app.__name__, "mixed", sys.executable, Path.cwd())
    laps: list[MapLap] = []
    left_out: dict[str, str] = {}
    with place(None) as found:
        app = probe(target, found, [_item(wish, 0.0)])
        for concurrency in wish.concurrencies:
            candidates = [Candidate(pool, concurrency) for pool in CONCURRENT]
            laps += _line(_Line(wish, target, found, app, left_out, step), candidates)
    if not laps:
        raise ClusterError(f"no worker came through: {', '.join(left_out.values())}")
    return PoolMap(
        made_at=made_at,
        item_s=wish.item_s,
        shares=list(wish.shares),
        concurrencies=list(wish.concurrencies),
        repeat=wish.repeat,
        left_out=left_out,
        environment=describe_here(),
        laps=tuple(laps),
    )


@dataclass(frozen=True)
class _Line:
    """What the map_cells of one concurrency have in common."""

    wish: MapOptions
    target: Target
    place: Sandbox
    app: App
    left_out: dict[str, str]
    step: Step


def _line(line: _Line, candidates: Sequence[Candidate]) -> Iterator[MapLap]:
    """All shares at one concurrency; the workers stay, only what they are sent changes."""
    wish = line.wish
    items = [_item(wish, share) for share in wish.shares]
    limits = RaceOptions(line.target, items, budget_s=float("inf"), max_executions=sys.maxsize)
    with RaceSession(limits, line.place, line.app).open() as track:
        running = track.enlist(*candidates)
        _note(line, candidates, running, "its workers did not start")
        for share, item in zip(wish.shares, items, strict=True):
            track.send([item])
            for number in range(wish.repeat):
                for candidate in rotated(running, number):
                    line.step(f"{candidate}, waiting {share:.0%}, round {number + 1}")
                    lap = track.lap(candidate, "search")
                    if lap.lost:
                        running.remove(candidate)
                        _note(line, [candidate], running, "its workers were lost")
                    else:
                        yield MapLap(share, lap)


def _note(line: _Line, wanted: Sequence[Candidate], running: Sequence[Candidate], why: str) -> None:
    for candidate in wanted:
        if candidate not in running:
            line.left_out[str(candidate)] = why


def _item(wish: MapOptions, share: float) -> Item:
    """Called with the seconds that it computes and waits."""
    return Item(0, [wish.item_s * (1 - share), wish.item_s * share], {})
