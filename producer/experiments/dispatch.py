"""Dispatch: streams chunks from a schedule through an executor into a ledger.

Only the chunks in flight are kept in memory, so a job of a million chunks needs as much memory
as a job of a hundred. Prints nothing.
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
"""Seconds of one wait for results, at most; the observer is called after each wait, to update the
progress bar."""

MAX_CHUNKS_AHEAD = 1024
"""Chunks in flight beyond one per slot, at most, however short the chunks are."""

FIRST_CHUNKS = 8
"""Chunks in flight at the start of a job, at most."""

GROW_AFTER_S = 0.08
"""Seconds without a result after which the limit on chunks in flight grows fourfold."""

Observer = Callable[[Ledger, ChunkResult | None], None]
"""An observer is called with each new result, and with ``None`` after a wait without results."""

logger = logging.getLogger(__name__)


def ignore_progress(ledger: Ledger, result: ChunkResult | None) -> None:
    """Do nothing: the observer of a run without progress display."""


def dispatch(
    job: Job, executor: Executor, schedule: Schedule, observer: Observer = ignore_progress
) -> Ledger:
    """Run the job to its end on an entered executor; return its complete ledger."""
    ledger = job.ledger()
    chunks = schedule.chunks_of(ledger.gaps, executor.slots)
    in_flight: set[Chunk] = set()
    limit = _InFlightLimit(executor.slots)
    _submit(executor, chunks, in_flight, limit.chunks)
    while not ledger.complete:
        results = executor.collect(limit.timeout_s)
        for result in results:
            if _count(ledger, result, in_flight):
                schedule.observe(result, executor.slots)
                limit.observe(result)
                observer(ledger, result)
        if not results:
            observer(ledger, None)
        executor.checkpoint(ledger)
        limit.adapt(executor.slots, timed_out=not results)
        _submit(executor, chunks, in_flight, limit.chunks)
    return ledger


def _submit(executor: Executor, chunks: Iterator[Chunk], in_flight: set[Chunk], limit: int) -> None:
    """Submit the next chunks until as many as ``limit`` are in flight."""
    next_chunks = list(islice(chunks, max(0, limit - len(in_flight))))
    if next_chunks:
        in_flight.update(next_chunks)
        executor.submit(next_chunks)


def _count(ledger: Ledger, result: ChunkResult, in_flight: set[Chunk]) -> bool:
    """Add a result to the ledger; return whether the ledger counted its chunk."""
    if not len(result.chunk):
        return False  # a late result of the warm-up
    if result.chunk in in_flight or ledger.covers(result.chunk):
        in_flight.discard(result.chunk)
        return ledger.add(result.chunk, result.value)
    logger.warning("ignored a result for chunk %s, which was not sent", result.chunk)
    return False


class _InFlightLimit:
    """The limit on chunks in flight: two per slot, and more for short chunks.

    The limit starts at one chunk per slot, ``FIRST_CHUNKS`` at most. It grows by one with each
    result once every slot can have had a result, so ``auto`` sends few of its short first chunks
    and does not flood hundreds of greenlets. The limit grows to two per slot at once when a chunk
    mostly waits, and fourfold after a time without results.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._results = 0
        self.chunks = min(FIRST_CHUNKS, slots)

    @property
    def timeout_s(self) -> float:
        """Seconds to wait for results until the limit is adapted again."""
        return GROW_AFTER_S if self.chunks < 2 * self._slots else POLL_S

    def adapt(self, slots: int, *, timed_out: bool) -> None:
        """Adapt to the present number of slots; grow after a wait without results."""
        self._slots = slots
        if timed_out and self.chunks < 2 * slots:
            self.chunks = min(4 * self.chunks, 2 * slots)

    def observe(self, result: ChunkResult) -> None:
        """Adapt to the duration of a finished chunk."""
        self._results += 1
        if result.waited_s > result.cpu_s:
            self.chunks = max(self.chunks, 2 * self._slots)
        if self._results > self._slots:
            self.chunks += 1
        self.chunks = min(self.chunks, self._slots + max(self._slots, self._chunks_ahead(result)))

    def _chunks_ahead(self, result: ChunkResult) -> int:
        """Return how many chunks of this duration may be in flight beyond one per slot."""
        if self._results < 8 * self._slots:
            return 0
        return min(MAX_CHUNKS_AHEAD, round(self._slots * AHEAD_S / max(result.duration_s, 1e-6)))
