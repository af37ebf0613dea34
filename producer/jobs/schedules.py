"""Schedules cut a range into chunks: OpenMP's ``static``, ``dynamic`` and ``guided``, and ``auto``.

Semantics follow the schedule clause of the OpenMP API specification (5.2, section 11.5.3).
Unlike OpenMP, no schedule binds chunks to slots: any free slot takes the next chunk.
Pure: a schedule does not know the executor that computes the chunks.
"""

import math
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.message_costs import messages_s, waiting_cost
from poolrace.producer.jobs.slot_speeds import SHORTEST_CHUNK_S, SLOWER_AT_MOST, SlotSpeeds
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.errors import UsageError, unknown

MAX_DEFAULT_CHUNKS = 1024
"""Chunks that ``dynamic`` cuts by default, at most. OpenMP's default is one index per chunk;
there a chunk costs an increment of a counter, here it costs a message (about 1 ms of CPU time)."""

LONGEST_CHUNK_S = 2.0
"""Seconds of the longest chunks of ``auto``: their messages cost nothing; progress is visible.
Only the messages of more than 10,000 slots take longer, and make the chunks as long."""

SHARE = 0.5
"""Part of a slot's share of the remaining cost that the next chunk is at most, if another slot is
much slower."""

EQUAL_SHARE = 0.75
"""The same part if all slots are equally fast. Each has one or two chunks fewer than with 0.6, of
5 ms each. With 0.75 for unequal slots, too, jobs of 2 s end more than 3 % late."""

LARGEST_PART = 0.07
"""Part of one slot's share of the whole job that a chunk is at most, if it takes longer than
``NEVER_TOO_LONG_S``: as much is computed again if a slot dies."""

NEVER_TOO_LONG_S = 0.25
"""Seconds of a chunk that no ``LARGEST_PART`` makes shorter: a slot idles about 5 ms between two
chunks, which is 2 % of them."""

GROWTH = 2.0
"""Factor by which chunks become longer each time that every slot has had one, if a slot is much
slower; its square if all are equally fast. A larger one trusts the first results too much."""

DONE_SHARE = 0.25
"""Part of the cost that a slot has done on average, up to which a chunk may be made longer to have
fewer messages, even if that is more than ``EQUAL_SHARE`` of a slot's share of the rest."""

Cost = Callable[[int, int], float]
"""A function that returns the relative time which a range of indices takes."""


def index_count(start: int, stop: int) -> float:
    """The relative time of a range in which all indices cost the same: their number."""
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
        remaining = ((part.start, part.stop) for part in ranges)
        start = range_stop = 0
        for size in self.sizes(sum(map(len, ranges)), slots):
            missing = size
            while missing:
                while start == range_stop:  # also past empty ranges
                    start, range_stop = next(remaining)
                stop = min(start + missing, range_stop)
                yield Chunk(start, stop)
                missing -= stop - start
                start = stop

    def observe(self, result: ChunkResult, slots: int, hosts: int = 1) -> None:  # noqa: B027 # most ignore results
        """Adapt to a finished chunk and to the present slots and hosts; only ``Auto`` adapts."""


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

    ``cost`` is the relative time of a range; by default each index costs the same. If later indices
    cost more, chunks are cut from the end of the range: the longest index must not begin last.

    Each chunk is a part of one slot's share of the cost not cut yet, ``EQUAL_SHARE`` or less: even
    the slowest slot ends its chunk before the others end the rest. First chunks are short, for the
    speeds of the slots are unknown. A chunk takes at least ``SHORTEST_CHUNK_S``, and as long as one
    message for each slot. Both follow from the newest results, and later indices may take a
    thousand times as long; so this lower limit is at most ``EQUAL_SHARE`` of a slot's share of the
    rest, or ``DONE_SHARE`` of what a slot has done. Waits make chunks longer (``waiting_cost``).

    The upper limits are wall time, which includes the time that other slots use the same core. The
    lower limit is busy time, which excludes it: more slots on a core must not cause more messages.
    With a time limit for chunks, a chunk takes at most a quarter of the limit: other processes may
    take the core meanwhile.
    """

    name = "auto"

    def __init__(self, time_limit_s: float | None = None, cost: Cost = index_count) -> None:
        self._limit_s = time_limit_s / 4 if time_limit_s else math.inf
        self._cost = cost
        self._speeds = SlotSpeeds()
        self._slots = self._hosts = 1
        self._results = 0
        self._total = 0.0
        self._done = 0.0  # cost of all chunks with a result

    def sizes(self, count: int, slots: int) -> Iterator[int]:
        """Yield the sizes of the chunks of ``[0, count)``."""
        return map(len, self.chunks(0, count, slots))

    def chunks_of(self, ranges: Sequence[Chunk], slots: int) -> Iterator[Chunk]:
        """Yield single indices until the first result is observed, then chunks by measured time."""
        self._slots = slots
        remaining = self._total = sum(self._cost(part.start, part.stop) for part in ranges)
        grows = bool(ranges) and self._grows(ranges[0].start, ranges[-1].stop)
        for part in reversed(ranges) if grows else ranges:
            rest = part
            while len(rest):
                length = self._length(rest, remaining, from_end=grows)
                chunk, rest = _split(rest, length, from_end=grows)
                remaining -= self._cost(chunk.start, chunk.stop)
                yield chunk

    def observe(self, result: ChunkResult, slots: int, hosts: int = 1) -> None:
        """Remember the speed of the result's slot."""
        self._slots, self._hosts = slots, hosts
        self._results += 1
        cost = self._cost(result.chunk.start, result.chunk.stop)
        self._done += cost
        if cost:
            self._speeds.observe(result, cost)

    def _grows(self, start: int, stop: int) -> bool:
        """Whether the last index of the range costs more than the first."""
        return self._cost(stop - 1, stop) > self._cost(start, start + 1)

    def _length(self, rest: Chunk, remaining: float, *, from_end: bool) -> int:
        """The number of indices, at the start or end of the rest, nearest to the intended cost."""
        intended = self._intended_cost(remaining)

        def cost_of(length: int) -> float:
            if from_end:
                return self._cost(rest.stop - length, rest.stop)
            return self._cost(rest.start, rest.start + length)

        guess = min(max(math.ceil(intended / max(cost_of(1), 1e-9)), 1), len(rest))
        if not cost_of(guess - 1) < intended <= cost_of(guess):
            guess = 1 + bisect_left(range(1, len(rest)), intended, key=cost_of)
        if guess > 1 and intended - cost_of(guess - 1) < cost_of(guess) - intended:
            return guess - 1
        return guess

    def _intended_cost(self, remaining: float) -> float:
        speeds = self._speeds
        if not speeds.known:
            return 0.0
        slowest = speeds.slowest_share(self._slots)
        share = (SHARE + (EQUAL_SHARE - SHARE) * slowest) * slowest
        rounds = min(self._results / self._slots, 16)
        first = speeds.mean * SHORTEST_CHUNK_S * math.pow(GROWTH, (1 + slowest) * rounds)
        lost = max(LARGEST_PART * self._total / self._slots, speeds.mean * NEVER_TOO_LONG_S)
        each_s = messages_s(self._slots, self._hosts)
        shortest_s = max(each_s, SHORTEST_CHUNK_S * max(slowest, SLOWER_AT_MOST))
        most = max(EQUAL_SHARE * remaining, DONE_SHARE * self._done) / self._slots
        shortest = min(speeds.busy * shortest_s, most)
        long = max(min(share * remaining / self._slots, first, lost), shortest)
        rest, unfinished = remaining / self._slots, (self._total - self._done) / self._slots
        waits = speeds.waiting * waiting_cost(rest, unfinished, speeds.busy * each_s)
        longest = speeds.mean * max(LONGEST_CHUNK_S, each_s)
        return min(max(min(long, longest), waits), speeds.mean * self._limit_s)


def _split(rest: Chunk, length: int, *, from_end: bool) -> tuple[Chunk, Chunk]:
    """Split a range into a chunk of this length, at its start or end, and the rest of it."""
    if from_end:
        middle = rest.stop - length
        return Chunk(middle, rest.stop), Chunk(rest.start, middle)
    middle = rest.start + length
    return Chunk(rest.start, middle), Chunk(middle, rest.stop)


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
