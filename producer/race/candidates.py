"""What takes part in a race: a pool with its concurrency, and how it is asked for. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workers.errors import UsageError
from workers.pools import POOLS, pool_named

CONCURRENT = tuple(name for name in POOLS if name != "solo")
"""Pools that have a concurrency."""


@dataclass(frozen=True, order=True)
class Candidate:
    """Workers of one pool, all alike."""

    pool: str
    concurrency: int
    workers: int = 1
    """Worker processes, each with this concurrency."""
    prefetch: int | None = None
    """Celery's prefetch multiplier, ``None``: that of the app."""
    max_tasks: int | None = None
    """Celery's ``--max-tasks-per-child``, ``None``: that of the app."""

    @property
    def slots(self) -> int:
        """Items at a time."""
        return self.concurrency * self.workers

    def options(self) -> list[str]:
        """What makes a worker of it, on Celery's command line."""
        options = ["--pool", self.pool, "--concurrency", str(self.concurrency)]
        if self.prefetch is not None:
            options += ["--prefetch-multiplier", str(self.prefetch)]
        if self.max_tasks is not None:
            options += ["--max-tasks-per-child", str(self.max_tasks)]
        return options

    def to_json(self) -> dict[str, Any]:
        """The candidate as a JSON object."""
        return asdict(self)

    def __str__(self) -> str:
        name = self.pool if self.pool == "solo" else f"{self.pool}:{self.concurrency}"
        more = {"prefetch": self.prefetch, "max tasks": self.max_tasks}
        said = [f"{what} {n}" for what, n in more.items() if n is not None]
        return ", ".join([f"{self.workers} x {name}" if self.workers > 1 else name, *said])


SOLO = Candidate("solo", 1)
"""The base: one slot, where nothing gets into the task's way."""


@dataclass(frozen=True)
class Variants:
    """What is raced besides pool and concurrency; the first of each is what is searched with."""

    workers: Sequence[int] = (1,)
    prefetch: Sequence[int | None] = (None,)
    max_tasks: Sequence[int | None] = (None,)

    def of(self, pool: str, concurrency: int) -> list[Candidate]:
        """A candidate for each combination; children are prefork's, and so is their limit."""
        limits = self.max_tasks if pool == "prefork" else (None,)
        return [
            Candidate(pool, concurrency, workers, prefetch, max_tasks)
            for workers in self.workers
            for prefetch in self.prefetch
            for max_tasks in limits
        ]


def parse(text: str) -> tuple[str, int | None]:
    """``gevent:100`` is a candidate, ``gevent`` a pool whose concurrency is searched."""
    name, colon, number = text.partition(":")
    pool_named(name)
    if not colon:
        return name, 1 if name == "solo" else None
    if not number.isdecimal() or int(number) == 0:
        raise UsageError(f"--pool {text}: {number!r} is not a number of slots; write {name}:8")
    if name == "solo" and number != "1":
        raise UsageError(f"--pool {text}: solo has one slot; write --pool solo")
    return name, int(number)


def pools_to_search(texts: Sequence[str], available: Sequence[str]) -> list[str]:
    """The pools whose concurrency is searched; without any wish all that are available.

    Raises ``UsageError`` for a pool that the environment of the app cannot run.
    """
    wanted = [parse(text) for text in texts] or [(name, None) for name in CONCURRENT]
    for name, _ in wanted:
        if texts and name not in available:
            raise UsageError(
                f"--pool {name}: it is not installed in the environment of the app;"
                f" install {name} there, or choose {', '.join(available)}"
            )
    return [name for name, number in wanted if number is None and name in available]
