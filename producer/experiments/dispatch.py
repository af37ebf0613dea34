"""The stream from schedule to executor to ledger: keeps slots busy, forgets what is done.

Holds as many chunks as are in flight, and no more, so a job of a million chunks needs the
memory of one of a hundred. Reads no clock but to size its window, and prints nothing.
"""

import logging
from collections.abc import Callable, Iterator
from itertools import islice

from poolrace.producer.executors.base import Executor
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import Ledger
from poolrace.producer.jobs.schedules import AHEAD_S, Schedule
from poolrace.workers.chunks import Chunk, ChunkResult

POLL_S = 0.5
"""An executor is asked at least this often, so that a caller can show time passing."""

MAX_AHEAD = 1024
"""Chunks waiting in front of the slots at most, however short they are."""

FIRST = 8
"""Chunks that are sent before any result is there."""

OPENING_S = 0.08
"""Without a result for so long, four times as many are sent."""

Observer = Callable[[Ledger, ChunkResult | None], None]
"""Called with each new result, and with ``None`` when time passed without one."""

logger = logging.getLogger(__name__)


def ignore_progress(ledger: Ledger, result: ChunkResult | None) -> None:
    """The observer of a run that nobody watches."""


def dispatch(
    job: Job, executor: Executor, schedule: Schedule, observer: Observer = ignore_progress
) -> Ledger:
    """Run the job to its end on an entered executor; returns its complete ledger."""
    ledger = job.ledger()
    cuts = schedule.chunks_of(ledger.gaps, executor.slots)
    in_flight: set[Chunk] = set()
    window = _Window(executor.slots)
    _feed(executor, cuts, in_flight, window.size)
    while not ledger.complete:
        results = executor.collect(window.patience_s)
        for result in results:
            if _count(ledger, result, in_flight):
                schedule.observe(result, executor.slots)
                window.observe(result)
                observer(ledger, result)
        if not results:
            observer(ledger, None)
        executor.checkpoint(ledger)
        window.fit(executor.slots, quiet=not results)
        _feed(executor, cuts, in_flight, window.size)
    return ledger


def _feed(executor: Executor, cuts: Iterator[Chunk], in_flight: set[Chunk], size: int) -> None:
    chunks = list(islice(cuts, max(0, size - len(in_flight))))
    if chunks:
        in_flight.update(chunks)
        executor.submit(chunks)


def _count(ledger: Ledger, result: ChunkResult, in_flight: set[Chunk]) -> bool:
    """Enter a result into the ledger; returns whether it was new."""
    if not len(result.chunk):
        return False  # a late one of the warm-up
    if result.chunk in in_flight or ledger.covers(result.chunk):
        in_flight.discard(result.chunk)
        return ledger.add(result.chunk, result.value)
    logger.warning("a result for chunk %s, which was not sent, is ignored", result.chunk)
    return False


class _Window:
    """How many chunks to keep in flight: two a slot, more when chunks are shorter than the
    time a new one takes to arrive.

    It begins with one a slot, and opens by one a result once each slot had one: the short chunks
    with which ``auto`` feels its way are few, and do not flood hundreds of greenlets. Chunks
    that mostly wait open it at once, and so does time without any result.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._seen = 0
        self.size = min(FIRST, slots)

    @property
    def patience_s(self) -> float:
        """How long to wait for a result before looking at the window again."""
        return OPENING_S if self.size < 2 * self._slots else POLL_S

    def fit(self, slots: int, *, quiet: bool) -> None:
        """Follow hosts that join or leave; after a ``quiet`` wait open further."""
        self._slots = slots
        if quiet and self.size < 2 * slots:
            self.size = min(4 * self.size, 2 * slots)

    def observe(self, result: ChunkResult) -> None:
        self._seen += 1
        if result.waited_s > result.cpu_s:
            self.size = max(self.size, 2 * self._slots)
        ahead = 0
        if self._seen >= 8 * self._slots:
            ahead = round(self._slots * AHEAD_S / max(result.duration_s, 1e-6))
        most = self._slots + max(self._slots, min(MAX_AHEAD, ahead))
        self.size = min(self.size + (self._seen > self._slots), most)
