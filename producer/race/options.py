"""Options of a race and of a pool map, and the parsing of ``--pool``. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from poolrace.producer.analysis.pool_map_comparison import MIN_LAPS
from poolrace.producer.race.items import Item
from poolrace.producer.results.candidate import CONCURRENT, SOLO, Candidate
from poolrace.workers.counts import parse_count
from poolrace.workers.errors import UsageError
from poolrace.workers.pools import pool_named


@dataclass(frozen=True)
class Target:
    """The task to race, and where its app is found."""

    app: str
    """The app as ``celery -A`` takes it."""
    task: str
    python: str
    """The interpreter of the app's environment."""
    directory: Path
    """The working directory of the workers."""


@dataclass(frozen=True)
class Variants:
    """Worker options that are raced besides pool and concurrency.

    The search uses the first value of each option; the best candidate of a pool then also races
    with all other values.
    """

    workers: Sequence[int] = ()
    """Numbers of workers; empty means that the search decides, and that a given concurrency has
    one worker."""
    prefetch: Sequence[int | None] = (None,)
    max_tasks: Sequence[int | None] = (None,)

    def candidates(self, pool: str, concurrency: int) -> list[Candidate]:
        """One candidate for each combination of options; ``max_tasks`` is for prefork only."""
        limits = self.max_tasks if pool == "prefork" else (None,)
        return [
            Candidate(pool, concurrency, workers, prefetch, max_tasks)
            for workers in self.workers or (1,)
            for prefetch in self.prefetch
            for max_tasks in limits
        ]


@dataclass(frozen=True)
class RaceOptions:
    """The task, items and pools to race, and the limits of the race."""

    target: Target
    items: Sequence[Item]
    pools: Sequence[str] = ()
    """Pools as typed: ``gevent``, whose concurrency is searched, or ``gevent:100``."""
    variants: Variants = field(default_factory=Variants)
    broker: str | None = None
    budget_s: float = 120.0
    time_limit_s: float = 60.0
    max_memory_bytes: int = 2**40
    max_executions: int = 50_000
    repeat_items: int | None = None
    """Number of times that a lap runs all items; ``None`` runs as many items as measuring needs."""
    window_s: float | None = None
    """Seconds in which a lap sends items, as many as run; ``None`` has the limits of a race."""

    def min_items(self, candidate: Candidate) -> int:
        """Number of items that a lap of the candidate runs, at least."""
        if self.repeat_items:
            return self.repeat_items * len(self.items)
        return 1 if candidate == SOLO else 2 * candidate.slots + 1


@dataclass(frozen=True)
class MapOptions:
    """The cells of a pool map, and the limits of its measurement."""

    item_s: float
    shares: Sequence[float]
    concurrencies: Sequence[int]
    repeat: int = 5
    """Laps of each pool in each cell, at most."""
    budget_s: float = 180.0

    @property
    def laps(self) -> int:
        """Number of laps, at least: clear cells get no more."""
        cells = len(self.shares) * len(self.concurrencies)
        return cells * len(CONCURRENT) * min(self.repeat, MIN_LAPS)


def parse_pool(text: str) -> tuple[str, int | None]:
    """Parse ``gevent:100`` into pool and concurrency; ``gevent`` alone has ``None``.

    Raises ``UsageError`` for an unknown pool or an invalid number of slots.
    """
    name, colon, number = text.partition(":")
    if name == "eventlet":
        raise UsageError(
            f"--pool {text}: eventlet is not raced, since its own project advises against new use;"
            " give --pool gevent, the other pool of greenlets"
        )
    pool_named(name)
    if not colon:
        return name, 1 if name == "solo" else None
    if not (concurrency := parse_count(number)):
        raise UsageError(f"--pool {text}: {number!r} is not a number of slots; write {name}:8")
    if name == "solo" and concurrency != 1:
        raise UsageError(f"--pool {text}: solo has one slot; write --pool solo")
    return name, concurrency


def pools_to_search(
    texts: Sequence[str], available: Sequence[str], *, patched: bool = False
) -> list[str]:
    """Pools whose concurrency is searched; without ``--pool`` all available ones.

    Raises ``UsageError`` for a pool that the app's environment cannot run, as every pool but
    gevent if the app is ``patched`` for gevent.
    """
    requested = [parse_pool(text) for text in texts] or [(name, None) for name in CONCURRENT]
    for name, _ in requested:
        if texts and name not in available and patched:
            raise UsageError(
                f"--pool {name}: the app patches the standard library for gevent when it is"
                f" imported, so a worker of {name} never gets ready; give --pool gevent"
            )
        if texts and name not in available:
            raise UsageError(
                f"--pool {name}: the app's environment does not have this pool;"
                f" install {name} there, or choose {', '.join(available)}"
            )
    return [name for name, number in requested if number is None and name in available]


def fixed_candidates(texts: Sequence[str], variants: Variants) -> list[Candidate]:
    """Candidates whose concurrency is given, as in ``gevent:100``, in all variants."""
    parsed = [parse_pool(text) for text in texts]
    return [
        candidate
        for name, concurrency in parsed
        if concurrency
        for candidate in variants.candidates(name, concurrency)
    ]


def base_candidates(available: Sequence[str]) -> list[Candidate]:
    """Candidates with one slot that may measure the base: solo first, then the other pools."""
    ordered = sorted(available, key=lambda name: name != "solo")
    return [SOLO if name == "solo" else Candidate(name, 1) for name in ordered]
