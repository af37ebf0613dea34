"""Schedules cut a range into chunks: OpenMP's ``static``, ``dynamic`` and ``guided``, and ``auto``.

Semantics follow the schedule clause of the OpenMP API specification (5.2, section 11.5.3).
Unlike OpenMP, no schedule binds chunks to slots: any free slot takes the next chunk.
Pure: a schedule does not know the executor that computes the chunks.
"""

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.errors import UsageError

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
    """Cuts chunks by measured time: single indices first, then by the seconds per index.

    Each chunk is three quarters of one slot's share of the remaining indices, but takes at most
    ``LONGEST_CHUNK_S`` and at least ``SHORTEST_CHUNK_S``. A slot idles about 5 ms between two
    chunks, so fewer chunks are better; a whole share would leave no chunk to even out slots of
    different speed. With so many slots that their messages take longer than their chunks, a chunk
    is a whole share of all unfinished indices, those in flight included.
    The upper limit is wall time, which includes the time that other slots use the same core. The
    lower limit is busy time, which excludes it: more slots on a core must not cause more messages.
    With a time limit for chunks, a chunk takes at most a quarter of the limit: other processes may
    take the core meanwhile.
    """

    name = "auto"

    def __init__(self, time_limit_s: float | None = None) -> None:
        quarter_s = time_limit_s / 4 if time_limit_s else math.inf
        self._longest_s = min(LONGEST_CHUNK_S, quarter_s)
        self._wall_per_index_s: float | None = None
        self._busy_per_index_s = 0.0
        self._slots = 1
        self._in_flight = 0

    def sizes(self, count: int, slots: int) -> Iterator[int]:
        """Yield 1 until the first result is observed, then sizes by measured time."""
        self._slots = slots
        while count:
            size = min(count, max(1, self._size(count)))
            self._in_flight += size
            yield size
            count -= size

    def _size(self, count: int) -> int:
        if self._wall_per_index_s is None:
            return 1
        part = 3 * count / (4 * self._slots)
        if self._slots * MESSAGE_S > part * self._wall_per_index_s:
            part = math.ceil((count + self._in_flight) / self._slots)
        shortest = SHORTEST_CHUNK_S / max(self._busy_per_index_s, 1e-9)
        longest = self._longest_s / max(self._wall_per_index_s, 1e-9)
        return round(min(max(part, shortest), longest))

    def observe(self, result: ChunkResult, slots: int) -> None:
        """Remember the seconds per index of the newest result.

        A short chunk's figure is too high rather than too low. The next chunks are then short
        too, and measured again; an error lasts for a few chunks only.
        """
        self._slots = slots
        self._in_flight -= len(result.chunk)
        if not len(result.chunk):
            return
        self._busy_per_index_s = result.busy_s / len(result.chunk)
        if result.duration_s > NOISE_S:
            self._wall_per_index_s = result.duration_s / len(result.chunk)
        else:
            self._wall_per_index_s = self._busy_per_index_s


SCHEDULES: tuple[str, ...] = (Auto.name, Static.name, Dynamic.name, Guided.name)


@dataclass(frozen=True)
class ScheduleChoice:
    """A schedule as the user chose it, immutable; ``make`` gives each run its own schedule.

    Without a name, a number of chunks means ``static`` and a chunk size means ``dynamic``.
    """

    name: str = Auto.name
    chunks: int | None = None
    chunk_size: int | None = None

    def make(self, count: int, time_limit_s: float | None = None) -> Schedule:
        """Return a schedule for ``count`` indices; raises ``UsageError`` for contradictions.

        ``time_limit_s`` limits the seconds of a chunk; only ``auto`` can keep to it.
        """
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
                return Auto(time_limit_s)
            case Static.name:
                return Static(self.chunk_size, self.chunks)
            case Dynamic.name:
                return Dynamic(-(-count // self.chunks) if self.chunks else self.chunk_size)
            case Guided.name if self.chunks:
                raise UsageError("--schedule guided excludes --chunks; give --chunk-size")
            case Guided.name:
                return Guided(self.chunk_size or 1)
        raise UsageError(f"--schedule {self.name!r} is unknown; choose {', '.join(SCHEDULES)}")

    def __str__(self) -> str:
        sizes = {"--chunks": self.chunks, "--chunk-size": self.chunk_size}
        return " ".join((self.name, *(f"{name} {n}" for name, n in sizes.items() if n)))


AUTO = ScheduleChoice()
"""The default schedule."""


def _fixed(count: int, size: int) -> Iterator[int]:
    for start in range(0, count, size):
        yield min(size, count - start)
