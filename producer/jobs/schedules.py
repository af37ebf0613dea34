"""How a range is cut into chunks: OpenMP's ``static``, ``dynamic``, ``guided``, and ``auto``.

Semantics follow the schedule clause of the OpenMP API specification (5.2, section 11.5.3).
There is no binding of chunks to slots here: whichever slot is free takes the next chunk.
Pure: a schedule does not know who computes the chunks.
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
"""``dynamic`` takes OpenMP's default of one index a chunk as long as that makes no more chunks
than this: an index there costs a counter, here it costs a message (about 1 ms of CPU time)."""

SHORTEST_CHUNK_S = 0.025
"""The last chunks of ``auto``. What a slot idles at the end is at most one of them, and there
are too few of them for their messages (about 1 ms each) to count."""

LONGEST_CHUNK_S = 2.0
"""The first chunks of ``auto``: a message in two seconds costs nothing, and progress stays
visible."""

MESSAGE_S = 0.001
"""CPU seconds that a Celery worker spends on one message, at least (measured: 0.7 to 2.7 ms)."""

AHEAD_S = 0.1
"""Seconds of work that is sent ahead of the slots, so that no slot waits for a message: many times
the 2 to 10 ms (measured) that a Celery message takes to arrive."""

NOISE_S = 0.005
"""In chunks shorter than this the wall clock measures the operating system's scheduler."""


class Schedule(ABC):
    """Cuts ``[start, stop)`` for ``slots`` slots; iterate ``chunks`` as slots become free."""

    name: ClassVar[str]

    @abstractmethod
    def sizes(self, count: int, slots: int) -> Iterator[int]:
        """Sizes of the chunks, at least 1 each, that ``count`` indices are cut into."""

    def chunks(self, start: int, stop: int, slots: int) -> Iterator[Chunk]:
        """The chunks of ``[start, stop)``, in ascending order, without gap or overlap."""
        return self.chunks_of([Chunk(start, stop)], slots)

    def chunks_of(self, ranges: Sequence[Chunk], slots: int) -> Iterator[Chunk]:
        """The chunks of disjoint ranges; one that would go beyond a range is cut at its end."""
        rest = deque(ranges)
        for size in self.sizes(sum(map(len, ranges)), slots):
            wanted = size
            while wanted:
                head = rest.popleft()
                taken = Chunk(head.start, min(head.start + wanted, head.stop))
                yield taken
                wanted -= len(taken)
                if taken.stop < head.stop:
                    rest.appendleft(Chunk(taken.stop, head.stop))

    def observe(self, result: ChunkResult, slots: int) -> None:  # noqa: B027 # as it says
        """Take note of how long a chunk took and how many slots there are now; ``auto`` does."""


@dataclass(frozen=True)
class Static(Schedule):
    """Equal parts: as many as slots, or ``parts``; or chunks of ``size`` indices."""

    name = "static"
    size: int | None = None
    parts: int | None = None

    def sizes(self, count: int, slots: int) -> Iterator[int]:
        """Without ``size``, parts differ by at most one index, the larger ones first."""
        if self.size:
            yield from _fixed(count, self.size)
            return
        parts = min(self.parts or slots, count)
        for part in range(parts):
            yield count // parts + (part < count % parts)


@dataclass(frozen=True)
class Dynamic(Schedule):
    """Chunks of ``size`` indices, the last one possibly smaller, each to the next free slot."""

    name = "dynamic"
    size: int | None = None

    def sizes(self, count: int, slots: int) -> Iterator[int]:  # noqa: ARG002 # whoever they are
        """``size`` defaults to 1, or to what keeps the number of chunks sane."""
        yield from _fixed(count, self.size or max(1, -(-count // MAX_DEFAULT_CHUNKS)))


@dataclass(frozen=True)
class Guided(Schedule):
    """Each chunk is the remaining indices over the slots, rounded up, but at least ``size``."""

    name = "guided"
    size: int = 1

    def sizes(self, count: int, slots: int) -> Iterator[int]:
        """Only the last chunk may be smaller than ``size``."""
        while count:
            size = min(count, max(self.size, -(-count // slots)))
            yield size
            count -= size


class Auto(Schedule):
    """Guided by measured time: starts with single indices, then follows what they took.

    Each chunk is three quarters of a slot's share of what remains, but takes no longer than
    ``LONGEST_CHUNK_S`` and has no less to do than for ``SHORTEST_CHUNK_S``. A slot waits some
    5 ms for its next chunk, so the fewer the better; a whole share would leave nothing to even
    out with. It is a whole share, of what is under way too, where slots are so many that messages
    take longer than chunks.
    The longest is wall time, in which slots that share a core count each other's work; the
    shortest is not: more slots on a core are no reason for more messages.
    """

    name = "auto"

    def __init__(self) -> None:
        self._wall_s: float | None = None
        self._busy_s = 0.0
        self._slots = 1
        self._out = 0

    def sizes(self, count: int, slots: int) -> Iterator[int]:
        """One index at a time until the first result is observed."""
        self._slots = slots
        while count:
            size = min(count, max(1, self._size(count)))
            self._out += size
            yield size
            count -= size

    def _size(self, count: int) -> int:
        if self._wall_s is None:
            return 1
        part = 3 * count / (4 * self._slots)
        if self._slots * MESSAGE_S > part * self._wall_s:
            part = math.ceil((count + self._out) / self._slots)
        shortest = SHORTEST_CHUNK_S / max(self._busy_s, 1e-9)
        longest = LONGEST_CHUNK_S / max(self._wall_s, 1e-9)
        return round(min(max(part, shortest), longest))

    def observe(self, result: ChunkResult, slots: int) -> None:
        """Remember what an index took in the newest result.

        A short chunk's figure is too high rather than too low, and so asks for more short
        ones; an error therefore mends itself within a few chunks.
        """
        self._slots = slots
        self._out -= len(result.chunk)
        if len(result.chunk):
            wall = result.duration_s > NOISE_S
            self._busy_s = result.busy_s / len(result.chunk)
            self._wall_s = result.duration_s / len(result.chunk) if wall else self._busy_s


SCHEDULES: tuple[str, ...] = (Auto.name, Static.name, Dynamic.name, Guided.name)


@dataclass(frozen=True)
class ScheduleChoice:
    """What the user asked for; every run makes a schedule of its own from it.

    A number or a size of chunks without a name means ``static`` and ``dynamic``.
    """

    name: str = Auto.name
    chunks: int | None = None
    chunk_size: int | None = None

    def make(self, count: int) -> Schedule:
        """The schedule for ``count`` indices; raises ``UsageError`` if there can be none."""
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
                raise UsageError("--schedule guided takes --chunk-size, its smallest, not --chunks")
            case Guided.name:
                return Guided(self.chunk_size or 1)
        raise UsageError(f"--schedule {self.name!r} is unknown; choose {', '.join(SCHEDULES)}")

    def __str__(self) -> str:
        sizes = {"--chunks": self.chunks, "--chunk-size": self.chunk_size}
        return " ".join((self.name, *(f"{name} {n}" for name, n in sizes.items() if n)))


AUTO = ScheduleChoice()
"""The default."""


def _fixed(count: int, size: int) -> Iterator[int]:
    for begin in range(0, count, size):
        yield min(size, count - begin)
