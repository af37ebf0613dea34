"""The snapshot of a cluster: the content of one frame of ``producer watch``. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from poolrace.workers.chunks import Chunk

COVERAGE_BINS = 60
"""Number of equal parts of a job's range in its coverage bar."""


State = Literal["present", "silent", "paused", "stopping", "incompatible"]
"""State of a worker. An incompatible one speaks another protocol, so that it gets no chunks."""


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A worker as it announced itself last."""

    name: str
    pool: str
    host: str
    slots: int
    busy: int
    """Number of slots with a batch."""
    waiting: int
    """Number of batches that the worker took from the queue and that wait for a slot."""
    chunks_per_s: float | None
    """Chunks begun per second between the last two announcements; ``None``: not known yet, or an
    older worker, which does not announce it."""
    silent_s: float
    """Seconds since the last announcement."""
    state: State
    version: str
    """Version of poolrace that the worker runs."""
    protocol: int
    """Number of the protocol that the worker speaks."""
    working: tuple[tuple[str, str], ...] | None = None
    """Name of each slot with a batch, and the batch's task id; ``None``: an older worker."""


@dataclass(frozen=True, slots=True)
class JobState:
    """A job with the part of its range that is done."""

    job: str
    workload: str
    pool: str
    state: str
    done: float
    """Fraction of the indices that are done, from 0 to 1."""
    coverage: tuple[float, ...]
    """Fraction that is done of each part of the range; the parts have equal length."""
    made_at: str
    """Time of the last checkpoint: ISO 8601, UTC."""


@dataclass(frozen=True, slots=True)
class SlotRow:
    """A row of the timeline: a slot, or a whole worker where there are too many slots."""

    worker: str
    slot: str | None
    """Name of the slot, as in results; empty: a slot that had no batch yet; ``None``: the whole
    worker."""
    now: str
    """Task id of the batch in the slot, empty for an idle slot and for a whole worker."""
    utilisation: tuple[float | None, ...]
    """Fraction of busy slots in each past frame, the newest last; ``None``: not known."""


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """A change in the cluster that a frame noticed."""

    at: str
    """Time of day by the clock of this machine: ``HH:MM:SS``."""
    text: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a cluster at one time."""

    broker: str
    """Redis URL of the broker, without the password."""
    at: str
    """Time of the frame, by the clock of this machine: ISO 8601, UTC."""
    error: str = ""
    """Reason why Redis cannot be read; then all else is as it was last."""
    memory_bytes: int = 0
    memory_limit_bytes: int = 0
    """Memory limit of Redis, 0: no limit."""
    commands: int = 0
    """Number of Redis commands that the frame took."""
    queues: tuple[tuple[str, int], ...] = ()
    """Pool and number of batches in its queue."""
    workers: tuple[WorkerState, ...] = ()
    jobs: tuple[JobState, ...] = ()
    """Running jobs first, then the newest."""
    rows: tuple[SlotRow, ...] = ()
    events: tuple[WatchEvent, ...] = ()
    """The last events, the newest last."""

    def to_json(self) -> dict[str, Any]:
        """The snapshot as a JSON object."""
        data = asdict(self)
        for worker in data["workers"]:
            worker["working"] = None if worker["working"] is None else dict(worker["working"])
        return {**data, "queues": dict(self.queues)}


def coverage(
    start: int, stop: int, intervals: Sequence[Chunk], bins: int = COVERAGE_BINS
) -> tuple[float, ...]:
    """Fraction of each part of the range ``[start, stop)`` that the intervals cover.

    The intervals are disjoint and lie within the range. A range with fewer indices than ``bins``
    has one part per index; an empty range has none.
    """
    length = stop - start
    parts = min(bins, length)
    edges = [start + length * number // parts for number in range(parts + 1)] if parts else []
    done = [0] * parts
    part = 0
    for interval in intervals:
        while edges[part + 1] <= interval.start:
            part += 1
        last = part
        while last < parts and edges[last] < interval.stop:
            begin, end = max(edges[last], interval.start), min(edges[last + 1], interval.stop)
            done[last] += end - begin
            last += 1
        part = last - 1
    return tuple(count / (edges[number + 1] - edges[number]) for number, count in enumerate(done))
