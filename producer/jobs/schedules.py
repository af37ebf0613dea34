"""Schedules cut a range into chunks: OpenMP's ``static``, ``dynamic`` and ``guided``, and ``auto``.

Semantics follow the schedule clause of the OpenMP API specification (5.2, section 11.5.3).
Unlike OpenMP, no schedule binds chunks to slots: any free slot takes the next chunk.
Pure: a schedule does not know the executor that computes the chunks.
"""

import math
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from poolrace.producer.jobs.job import Job
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.errors import UsageError, unknown

MAX_DEFAULT_CHUNKS = 1024
"""Chunks that ``dynamic`` cuts by default, at most. OpenMP's default is one index per chunk;
there a chunk costs an increment of a counter, here it costs a message (about 1 ms of CPU time)."""

SHORTEST_CHUNK_S = 0.025
"""Seconds of the shortest chunks of ``auto``, at the end of a job. A slot then idles for at most
one such chunk, and the messages (about 1 ms each) are too few to matter."""

LONGEST_CHUNK_S = 2.0
"""Seconds of the longest chunks of ``auto``: one message in two seconds costs
next to nothing, and progress stays visible."""

MESSAGE_S = 0.001
"""CPU seconds that a Celery worker spends on one message, at least (measured: 0.7 to 2.7 ms)."""

AHEAD_S = 0.1
"""Seconds of work in flight beyond the running chunks, so that no slot waits for a message: many
times the 2 to 10 ms (measured) that a Celery message takes to arrive."""

NOISE_S = 0.005
"""Seconds of wall time below which delays of the operating system's scheduler outweigh the work
of the chunk."""


Cost = Callable[[int, int], float]
"""A function that returns the relative time which a range of indices takes."""


def _count(start: int, stop: int) -> float:
    return stop - start


class Schedule(ABC):
    """A schedule: cuts a range into chunks, one by one as slots become free."""

    name: ClassVar[str]

    @abstractmethod
    def sizes(self, count: int, slots: int) -> Iterator[int]:
        """Yield the sizes of the chunks of ``count`` indices, each at least 1."""

    def chunks(self, start: int, stop: int, slots: int) -> Iterator[Chunk]:
        """Yield the chunks of ``[start, stop)`` in ascending order, without gap or overlap."""
        return self.chunks_of([Chunk(start, stop)], slots)

    def chunks_of(self, ranges: Sequence[Chunk], slots: int) -> Iterator[Chunk]:
        """Yield the chunks of disjoint ranges; no chunk crosses the end of a range."""
        remaining = deque(ranges)
        for size in self.sizes(sum(map(len, ranges)), slots):
            missing = size
            while missing:
                first = remaining.popleft()
                chunk = Chunk(first.start, min(first.start + missing, first.stop))
                yield chunk
                missing -= len(chunk)
                if chunk.stop < first.stop:
                    remaining.appendleft(Chunk(chunk.stop, first.stop))

    def observe(self, result: ChunkResult, slots: int) -> None:  # noqa: B027 # most ignore results
        """Adapt to a finished chunk and to the present number of slots; only ``Auto`` adapts."""


@dataclass(frozen=True)
class Static(Schedule):
    """Cuts ``parts`` equal parts, by default one per slot; or chunks of ``size`` indices."""

    name = "static"
    size: int | None = None
    parts: int | None = None

    def sizes(self, count: int, slots: int) -> Iterator[int]:
        """Yield equal sizes; parts differ by at most one index, the larger ones first."""
        if self.size:
            yield from _fixed(count, self.size)
            return
        parts = min(self.parts or slots, count)
        for part in range(parts):
            yield count // parts + (1 if part < count % parts else 0)


@dataclass(frozen=True)
class Dynamic(Schedule):
    """Cuts chunks of ``size`` indices; the last chunk may be smaller."""

    name = "dynamic"
    size: int | None = None

    def sizes(self, count: int, slots: int) -> Iterator[int]:  # noqa: ARG002 # depends on the size only
        """Yield ``size``; by default the smallest for at most ``MAX_DEFAULT_CHUNKS`` chunks."""
        yield from _fixed(count, self.size or max(1, -(-count // MAX_DEFAULT_CHUNKS)))


@dataclass(frozen=True)
class Guided(Schedule):
    """Cuts shrinking chunks: the remaining indices divided by the slots, but at least ``size``."""

    name = "guided"
    size: int = 1

    def sizes(self, count: int, slots: int) -> Iterator[int]:
        """Yield shrinking sizes; only the last may be smaller than ``size``."""
        while count:
            size = min(count, max(self.size, -(-count // slots)))
            yield size
            count -= size


class Auto(Schedule):
    """Cuts chunks by measured time: single indices first, then by the seconds per unit of cost.

    ``cost`` is the relative time of a range; by default each index costs the same. Each chunk is
    three quarters of one slot's share of the remaining cost, but takes at most
    ``LONGEST_CHUNK_S`` and at least ``SHORTEST_CHUNK_S``. A slot idles about 5 ms between two
    chunks, so fewer chunks are better; a whole share would leave no chunk to even out slots of
    different speed. With so many slots that their messages take longer than their chunks, a chunk
    is a whole share of all unfinished work, those in flight included.
    The upper limit is wall time, which includes the time that other slots use the same core. The
    lower limit is busy time, which excludes it: more slots on a core must not cause more messages.
    With a time limit for chunks, a chunk takes at most a quarter of the limit: other processes may
    take the core meanwhile.
    """

    name = "auto"

    def __init__(self, time_limit_s: float | None = None, cost: Cost = _count) -> None:
        quarter_s = time_limit_s / 4 if time_limit_s else math.inf
        self._longest_s = min(LONGEST_CHUNK_S, quarter_s)
        self._cost = cost
        self._wall_per_cost_s: float | None = None
        self._busy_per_cost_s = 0.0
        self._slots = 1
        self._in_flight = 0.0
        """Cost of all chunks that were cut and have no result yet."""

    def sizes(self, count: int, slots: int) -> Iterator[int]:
        """Yield the sizes of the chunks of ``[0, count)``."""
        return map(len, self.chunks(0, count, slots))

    def chunks_of(self, ranges: Sequence[Chunk], slots: int) -> Iterator[Chunk]:
        """Yield single indices until the first result is observed, then chunks by measured time."""
        self._slots = slots
        remaining = sum(self._cost(part.start, part.stop) for part in ranges)
        for part in ranges:
            start = part.start
            while start < part.stop:
                chunk = Chunk(start, self._stop(start, part.stop, remaining))
                cost = self._cost(chunk.start, chunk.stop)
                remaining -= cost
                self._in_flight += cost
                yield chunk
                start = chunk.stop

    def _stop(self, start: int, limit: int, remaining: float) -> int:
        """The stop of the next chunk: the first one with which the chunk has its intended cost."""
        if self._wall_per_cost_s is None:
            return start + 1
        intended = 3 * remaining / (4 * self._slots)
        if self._slots * MESSAGE_S > intended * self._wall_per_cost_s:
            intended = (remaining + self._in_flight) / self._slots
        shortest = SHORTEST_CHUNK_S / max(self._busy_per_cost_s, 1e-9)
        longest = self._longest_s / max(self._wall_per_cost_s, 1e-9)
        intended = min(max(intended, shortest), longest)
        stops = range(start + 1, limit)
        return start + 1 + bisect_left(stops, intended, key=lambda stop: self._cost(start, stop))

    def observe(self, result: ChunkResult, slots: int) -> None:
        """Remember the seconds per unit of cost of the newest result.

        A short chunk's figure is too high rather than too low. The next chunks are then short
        too, and measured again; an error lasts for a few chunks only.
        """
        self._slots = slots
        cost = self._cost(result.chunk.start, result.chunk.stop)
        self._in_flight -= cost
        if not cost:
            return
        self._busy_per_cost_s = result.busy_s / cost
        if result.duration_s > NOISE_S:
            self._wall_per_cost_s = result.duration_s / cost
        else:
            self._wall_per_cost_s = self._busy_per_cost_s


SCHEDULES: tuple[str, ...] = (Auto.name, Static.name, Dynamic.name, Guided.name)


@dataclass(frozen=True)
class ScheduleChoice:
    """A schedule as the user chose it, immutable; ``make`` gives each run its own schedule.

    Without a name, a number of chunks means ``static`` and a chunk size means ``dynamic``.
    """

    name: str = Auto.name
    chunks: int | None = None
    chunk_size: int | None = None

    def make_for(self, job: Job) -> Schedule:
        """Return a schedule for the job; raises ``UsageError`` for contradictions.

        ``auto`` follows the costs of the job's indices, and the time limit of its chunks.
        """
        schedule = self.make(len(job))
        return Auto(job.time_limit_s, job.workload.cost) if isinstance(schedule, Auto) else schedule

    def make(self, count: int) -> Schedule:
        """Return a schedule for ``count`` equal indices."""
        if self.chunks and self.chunk_size:
            raise UsageError("--chunks and --chunk-size exclude each other; give one")
        if self.chunks and 0 < count < self.chunks:
            raise UsageError(
                f"--chunks {self.chunks} is more than the {count} indices; give at most {count}"
            )
        match self.name:
            case Auto.name if self.chunks or self.chunk_size:
                return replace(self, name=Static.name if self.chunks else Dynamic.name).make(count)
            case Auto.name:
                return Auto()
            case Static.name:
                return Static(self.chunk_size, self.chunks)
            case Dynamic.name:
                return Dynamic(-(-count // self.chunks) if self.chunks else self.chunk_size)
            case Guided.name if self.chunks:
                raise UsageError("--schedule guided excludes --chunks; give --chunk-size")
            case Guided.name:
                return Guided(self.chunk_size or 1)
        raise unknown("--schedule", self.name, SCHEDULES)

    def __str__(self) -> str:
        sizes = {"--chunks": self.chunks, "--chunk-size": self.chunk_size}
        return " ".join((self.name, *(f"{name} {n}" for name, n in sizes.items() if n)))


AUTO = ScheduleChoice()
"""The default schedule."""


def _fixed(count: int, size: int) -> Iterator[int]:
    for start in range(0, count, size):
        yield min(size, count - start)
