"""The ledger of a job: the counted part of its range, and the value merged so far.

Every result names its chunk. The ledger counts a chunk if none of its indices was counted
before, ignores the chunk as a duplicate if all of them were, and raises an error if some were.
When the counted indices form one interval, equal to the job's range, each index was counted
exactly once: at-least-once delivery has had an exactly-once effect. That is the proof of
exactness. Pure: the ledger does no I/O and does not know where results come from.
"""

from bisect import bisect_right
from collections.abc import Sequence

from poolrace.workers.chunks import Chunk
from poolrace.workers.workloads import EMPTY, Merge


class OverlapError(Exception):
    """Only a part of a chunk was counted before: an error of the program, not of the user."""


class Ledger:
    """The ledger of one job: its counted intervals, and the merged value of their chunks.

    ``merge`` is a workload's merge coroutine, not yet started. ``done`` holds disjoint intervals,
    in order, that are counted from the start; ``value`` is their merged value.
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
        """Count a chunk; return False for a duplicate.

        Raises ``ValueError`` for a chunk outside the range and ``OverlapError`` for a chunk of
        which only a part was counted before.
        """
        if not self.start <= chunk.start < chunk.stop <= self.stop:
            raise ValueError(f"chunk {chunk} is not within [{self.start}, {self.stop})")
        if not self._cover(chunk):
            self.duplicates += 1
            return False
        self.value = self._merge.send(value)
        return True

    def covers(self, chunk: Chunk) -> bool:
        """Return whether all indices of the chunk are counted."""
        before = bisect_right(self._starts, chunk.start) - 1
        return before >= 0 and chunk.stop <= self._stops[before]

    @property
    def done(self) -> int:
        """Number of counted indices."""
        return sum(self._stops) - sum(self._starts)

    @property
    def intervals(self) -> list[Chunk]:
        """The counted indices, as disjoint intervals in order."""
        return [Chunk(*pair) for pair in zip(self._starts, self._stops, strict=True)]

    @property
    def gaps(self) -> list[Chunk]:
        """The indices not counted yet, as disjoint intervals in order."""
        starts = [self.start, *self._stops]
        stops = [*self._starts, self.stop]
        return [Chunk(*pair) for pair in zip(starts, stops, strict=True) if pair[0] < pair[1]]

    @property
    def complete(self) -> bool:
        """Whether every index of the range is counted."""
        if self.start == self.stop:
            return not self._starts
        return self._starts == [self.start] and self._stops == [self.stop]

    def _cover(self, chunk: Chunk) -> bool:
        """Add the chunk and join it with touching intervals; return False for a duplicate."""
        starts, stops = self._starts, self._stops
        after = bisect_right(starts, chunk.start)  # first interval behind chunk.start
        # An interval that touches nothing stands for a missing one.
        end_before = stops[after - 1] if after else self.start - 1
        start_after = starts[after] if after < len(starts) else self.stop + 1
        if chunk.stop <= end_before:
            return False
        if chunk.start < end_before or start_after < chunk.stop:
            raise OverlapError(f"a part of chunk {chunk} was counted before: {self.intervals}")
        if end_before == chunk.start:
            if start_after == chunk.stop:
                stops[after - 1] = stops.pop(after)
                del starts[after]
            else:
                stops[after - 1] = chunk.stop
        elif start_after == chunk.stop:
            starts[after] = chunk.start
        else:
            starts.insert(after, chunk.start)
            stops.insert(after, chunk.stop)
        return True
