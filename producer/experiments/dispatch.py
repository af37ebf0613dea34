"""Dispatch: streams chunks from a schedule through an executor into a ledger.

Only the chunks in flight are kept in memory, so a job of a million chunks needs as much memory
as a job of a hundred. Prints nothing.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from poolrace.producer.executors.base import Executor
from poolrace.producer.experiments.in_flight_limit import InFlightLimit
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import Ledger
from poolrace.producer.jobs.schedules import Schedule
from poolrace.workers.chunks import Chunk, ChunkResult

Observer = Callable[[Ledger, ChunkResult | None], None]
"""An observer is called with each new result, and with ``None`` after a wait without results."""

logger = logging.getLogger(__name__)


class Recorder:
    """Records the results of a run; this base class records nothing."""

    def collected(self, results: Sequence[ChunkResult]) -> None:
        """Note that these results arrived now, or that a wait ended without results."""

    def counted(self, ledger: Ledger, result: ChunkResult, sent_at: float) -> None:
        """Record a result that the ledger counted; its chunk was dispatched at ``sent_at``."""

    def duplicate(self, ledger: Ledger, result: ChunkResult) -> None:
        """Record a result that the ledger ignored, because its chunk was counted before."""


NO_RECORDER = Recorder()
"""The recorder of a run without figures."""


def ignore_progress(ledger: Ledger, result: ChunkResult | None) -> None:
    """Do nothing: the observer of a run without progress display."""


def dispatch(
    job: Job,
    executor: Executor,
    schedule: Schedule,
    observer: Observer = ignore_progress,
    recorder: Recorder = NO_RECORDER,
    clock: Callable[[], float] = time.perf_counter,
) -> Ledger:
    """Run the job to its end on an entered executor; return its complete ledger.

    ``clock`` returns the seconds of the clock at which chunks are dispatched.
    """
    ledger = job.ledger()
    chunks = schedule.chunks_of(ledger.gaps, executor.slots)
    in_flight: dict[Chunk, float] = {}
    limit = InFlightLimit(executor.slots)
    _submit(executor, chunks, in_flight, limit.chunks, clock)
    while not ledger.complete:
        results = executor.collect(limit.timeout_s)
        recorder.collected(results)
        slots, hosts = executor.slots, len(executor.hosts)
        for result in results:
            sent_at = in_flight.pop(result.chunk, None)
            if _count(ledger, result, sent_at, recorder):
                schedule.observe(result, slots, hosts)
                limit.observe(result)
                observer(ledger, result)
        if not results:
            observer(ledger, None)
        executor.checkpoint(ledger)
        limit.adapt(slots, timed_out=not results)
        _submit(executor, chunks, in_flight, limit.chunks, clock)
    return ledger


def _submit(
    executor: Executor,
    chunks: Iterator[Chunk],
    in_flight: dict[Chunk, float],
    limit: int,
    clock: Callable[[], float],
) -> None:
    """Submit the next chunks until as many as ``limit`` are in flight, and note the time."""
    next_chunks = list(islice(chunks, max(0, limit - len(in_flight))))
    if next_chunks:
        in_flight.update(dict.fromkeys(next_chunks, clock()))
        executor.submit(next_chunks)


def _count(ledger: Ledger, result: ChunkResult, sent_at: float | None, recorder: Recorder) -> bool:
    """Add a result to the ledger and record it; return whether the ledger counted its chunk."""
    if not len(result.chunk):
        return False  # a late result of the warm-up
    if sent_at is None and not ledger.covers(result.chunk):
        logger.warning("ignored a result for chunk %s, which was not sent", result.chunk)
        return False
    if not ledger.add(result.chunk, result.value) or sent_at is None:
        recorder.duplicate(ledger, result)
        return False
    recorder.counted(ledger, result, sent_at)
    return True
