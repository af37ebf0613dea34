"""Makes the map: every pool at every spot, in turn, on workers of this machine."""

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from producer.environment import describe
from producer.race import mixed
from producer.race.app import App, probe
from producer.race.candidates import Candidate
from producer.race.items import Item
from producer.race.leashed import Target
from producer.race.place import Place, place
from producer.race.spots import PoolMap, SpotLap
from producer.race.track import Track, Wish
from workers.errors import ClusterError
from workers.hosts import HostFacts
from workers.settings import Settings

POOLS = ("prefork", "threads", "gevent")
"""Pools that have a concurrency."""


"""What a lap takes, at least; it is for the estimate."""

logger = logging.getLogger(__name__)

Step = Callable[[str], None]
"""Called before each lap with what is measured."""


@dataclass(frozen=True)
class MapWish:
    """What the map covers."""

    item_s: float
    shares: Sequence[float]
    concurrencies: Sequence[int]
    pools: Sequence[str] = POOLS
    repeat: int = 3

    @property
    def laps(self) -> int:
        """How many there will be."""
        return len(self.shares) * len(self.concurrencies) * len(self.pools) * self.repeat


def make_map(wish: MapWish, step: Step = lambda _: None) -> PoolMap:
    """Measure; raises ``ClusterError`` if no worker starts."""
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    target = Target(mixed.__name__, "mixed", sys.executable, Path.cwd())
    laps: list[SpotLap] = []
    left_out: dict[str, str] = {}
    with place(None) as found:
        app = probe(target, found, [_item(wish, 0.0)])
        for concurrency in wish.concurrencies:
            candidates = [Candidate(pool, concurrency) for pool in wish.pools]
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
        environment=describe([HostFacts.collect(Settings().host)]),
        laps=tuple(laps),
    )


@dataclass(frozen=True)
class _Line:
    """What the spots of one concurrency have in common."""

    wish: MapWish
    target: Target
    place: Place
    app: App
    left_out: dict[str, str]
    step: Step


def _line(line: _Line, candidates: Sequence[Candidate]) -> Iterator[SpotLap]:
    """All shares at one concurrency; the workers stay, only what they are sent changes."""
    wish = line.wish
    items = [_item(wish, share) for share in wish.shares]
    limits = Wish(line.target, items, budget_s=float("inf"), max_executions=sys.maxsize)
    with Track(limits, line.place, line.app).open() as track:
        running = track.enlist(*candidates)
        _note(line, candidates, running, "its workers did not start")
        for share, item in zip(wish.shares, items, strict=True):
            track.send([item])
            for number in range(wish.repeat):
                first = number % max(len(running), 1)
                for candidate in (*running[first:], *running[:first]):
                    line.step(f"{candidate}, waiting {share:.0%}, round {number + 1}")
                    lap = track.lap(candidate, "search")
                    if lap.lost:
                        running.remove(candidate)
                        _note(line, [candidate], running, "its workers were lost")
                    else:
                        yield SpotLap(share, lap)


def _note(line: _Line, wanted: Sequence[Candidate], running: Sequence[Candidate], why: str) -> None:
    for candidate in wanted:
        if candidate not in running:
            line.left_out[str(candidate)] = why


def _item(wish: MapWish, share: float) -> Item:
    """Called with the seconds that it computes and waits."""
    return Item(0, [wish.item_s * (1 - share), wish.item_s * share], {})
