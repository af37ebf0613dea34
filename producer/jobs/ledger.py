"""Which part of a range is done, and the value merged so far: the proof of exactness.

Every result names its range. The ledger counts it if none of it was counted before, ignores
it if all of it was, and raises if only a part was. When what it counted is one interval, equal
to the job's range, each index was counted exactly once: at-least-once delivery has had an
exactly-once effect. Pure: it does no I/O and does not know where results come from.
"""

from bisect import bisect_right
from collections.abc import Sequence

from poolrace.workers.chunks import Chunk
from poolrace.workers.workloads import EMPTY, Merge


class OverlapError(Exception):
    """A range was counted in part already: a bug, never a user's mistake."""


class Ledger:
    """Coverage of ``[start, stop)`` and the merged value.

    ``merge`` is a workload's merge coroutine, not yet started; ``done`` are disjoint intervals
    in order that are counted already, and ``value`` is theirs.
    """

    def __init__(
        self,
        start: int,
        stop: int,
        merge: Merge,
        done: Sequence[Chunk] = (),
        value: int = EMPTY,
    ) -> None:
        self.start = start
        self.stop = stop
        self.value = EMPTY
        self.duplicates = 0
        self._merge = merge
        next(self._merge)
        # Disjoint intervals in order, none touching the next: [starts[i], stops[i]).
        self._starts = [chunk.start for chunk in done]
        self._stops = [chunk.stop for chunk in done]
        if done:
            self.value = self._merge.send(value)

    def add(self, chunk: Chunk, value: int) -> bool:
        """Count a chunk; returns whether it was new.

        Raises ``ValueError`` for a chunk outside the range and ``OverlapError`` for one that
        was counted in part.
        """
        if not self.start <= chunk.start < chunk.stop <= self.stop:
            raise ValueError(f"chunk {chunk} is not within [{self.start}, {self.stop})")
        if not self._cover(chunk):
            self.duplicates += 1
            return False
        self.value = self._merge.send(value)
        return True

    def covers(self, chunk: Chunk) -> bool:
        """Whether all of the chunk is counted."""
        before = bisect_right(self._starts, chunk.start) - 1
        return before >= 0 and chunk.stop <= self._stops[before]

    @property
    def done(self) -> int:
        """How many indices are counted."""
        return sum(self._stops) - sum(self._starts)

    @property
    def intervals(self) -> list[Chunk]:
        """What is counted, as disjoint intervals in order."""
        return [Chunk(*pair) for pair in zip(self._starts, self._stops, strict=True)]

    @property
    def gaps(self) -> list[Chunk]:
        """What is not counted yet, as disjoint intervals in order."""
        begins = [self.start, *self._stops]
        ends = [*self._starts, self.stop]
        return [Chunk(*pair) for pair in zip(begins, ends, strict=True) if pair[0] < pair[1]]

    @property
    def complete(self) -> bool:
        """Whether each index of the range is counted."""
        whole = [Chunk(self.start, self.stop)] if self.start < self.stop else []
        return self.intervals == whole

    def _cover(self, chunk: Chunk) -> bool:
        """Add the interval, joined with its neighbours; False if it is covered already."""
        starts, stops = self._starts, self._stops
        after = bisect_right(starts, chunk.start)  # the first interval that starts behind
        before = after - 1
        if self.covers(chunk):
            return False
        if (before >= 0 and chunk.start < stops[before]) or (
            after < len(starts) and starts[after] < chunk.stop
        ):
            raise OverlapError(f"chunk {chunk} was counted in part already: {self.intervals}")
        joins_before = before >= 0 and stops[before] == chunk.start
        joins_after = after < len(starts) and starts[after] == chunk.stop
        if joins_before and joins_after:
            stops[before] = stops.pop(after)
            del starts[after]
        elif joins_before:
            stops[before] = chunk.stop
        elif joins_after:
            starts[after] = chunk.start
        else:
            starts.insert(after, chunk.start)
            stops.insert(after, chunk.stop)
        return True
