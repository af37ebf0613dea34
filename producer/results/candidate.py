"""A candidate of a race: a pool with its concurrency and Celery options. Pure."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from msgspec import Meta

from poolrace.producer.results.fields import Count, Name, PositiveCount
from poolrace.workers.pools import POOLS

CONCURRENT = tuple(name for name in POOLS if name != "solo")
"""Names of the pools that can run several items at a time."""


@dataclass(frozen=True, order=True)
class Candidate:
    """One or more identical workers of one pool."""

    pool: Name
    concurrency: PositiveCount
    workers: Annotated[int, Meta(ge=1, le=10_000)] = 1
    """Worker processes, each with this concurrency."""
    prefetch: Count | None = None
    """Celery's prefetch multiplier; ``None`` takes the app's."""
    max_tasks: PositiveCount | None = None
    """Celery's ``--max-tasks-per-child``; ``None`` takes the app's."""

    @property
    def slots(self) -> int:
        """Number of items that can run at a time."""
        return self.concurrency * self.workers

    def options(self) -> list[str]:
        """Options of ``celery worker`` that start one worker of this candidate."""
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
        prefix = f"{self.workers} x " if self.workers > 1 else ""
        limits = {"prefetch": self.prefetch, "max tasks": self.max_tasks}
        options = [f"{label} {number}" for label, number in limits.items() if number is not None]
        return ", ".join([prefix + name, *options])


SOLO = Candidate("solo", 1)
"""The candidate of the base laps: one slot, so that no other item slows the task."""
