"""A candidate of a race: a pool with its concurrency, and its Celery options."""

from dataclasses import asdict, dataclass
from typing import Any

from poolrace.workers.pools import POOLS

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
