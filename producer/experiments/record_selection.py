"""Selects the records that a run stores: a bounded number, spread over the whole run. Pure."""

from heapq import heappush, heapreplace
from itertools import count

from poolrace.producer.results.run import ChunkMark, ChunkRecord

MAX_RECORDS = 1000
"""Number of chunks up to which a run stores the record of each. Of more chunks it stores every
second record, every fourth one and so on: from half of this number to all of it."""

MAX_MARKED = 250
"""Number of records of marked chunks that a run stores besides, at most."""

MAX_LONGEST = 50
"""Number of records of the longest chunks that a run stores besides."""

Numbered = tuple[int, ChunkRecord]
"""A record with its number, which orders records by arrival."""


class RecordSelection:
    """Every k-th record of a run, the records of marked chunks, and those of the longest chunks."""

    def __init__(self) -> None:
        self._numbers = count()
        self._all = _EveryKth(MAX_RECORDS)
        self._marked = _EveryKth(MAX_MARKED)
        self._longest: list[tuple[float, int, ChunkRecord]] = []
        """A heap; its first element is the shortest of the longest chunks."""
        self._long_s = -1.0
        """Duration in seconds above which a chunk is one of the longest."""

    def wants(self, duration_s: float, mark: ChunkMark) -> bool:
        """Count the next chunk; return whether its record must be added."""
        return self._all.count_next() or duration_s > self._long_s or mark != ""

    def add(self, record: ChunkRecord) -> None:
        """Add the record of the chunk that was counted last."""
        number = next(self._numbers)
        self._all.add(number, record)
        if record.mark:
            self._add_marked(number, record)
        if record.duration_s > self._long_s:
            self._add_long(record.duration_s, number, record)

    def add_duplicate(self, record: ChunkRecord) -> None:
        """Add the record of a duplicate, which is no further chunk of the run."""
        self._add_marked(next(self._numbers), record)

    def records(self) -> list[ChunkRecord]:
        """The selected records, in the order of their arrival."""
        longest = [(number, record) for _, number, record in self._longest]
        selected = dict([*self._all.records, *self._marked.records, *longest])
        return [selected[number] for number in sorted(selected)]

    def _add_marked(self, number: int, record: ChunkRecord) -> None:
        self._marked.count_next()
        self._marked.add(number, record)

    def _add_long(self, duration_s: float, number: int, record: ChunkRecord) -> None:
        if len(self._longest) < MAX_LONGEST:
            heappush(self._longest, (duration_s, number, record))
        else:
            heapreplace(self._longest, (duration_s, number, record))
        if len(self._longest) == MAX_LONGEST:
            self._long_s = self._longest[0][0]


class _EveryKth:
    """Every k-th record of a sequence; k doubles when they are more than ``limit``."""

    def __init__(self, limit: int) -> None:
        self.records: list[Numbered] = []
        self._limit = limit
        self._k = 1
        self._count = 0
        self._is_kth = False

    def count_next(self) -> bool:
        """Count the next record; return whether it is a k-th one."""
        self._is_kth = self._count % self._k == 0
        self._count += 1
        return self._is_kth

    def add(self, number: int, record: ChunkRecord) -> None:
        """Add the record that was counted last, if it is a k-th one."""
        if not self._is_kth:
            return
        self.records.append((number, record))
        if len(self.records) > self._limit:
            self.records = self.records[::2]
            self._k *= 2
