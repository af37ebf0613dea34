"""Dispatch: streams chunks from a schedule through an executor into a ledger.

Only the chunks in flight are kept in memory, so a job of a million chunks needs as much memory
as a job of a hundred. Prints nothing.
"""

import logging
from collections.abc import Callable, Iterator
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


def ignore_progress(ledger: Ledger, result: ChunkResult | None) -> None:
    """Do nothing: the observer of a run without progress display."""


def dispatch(
    job: Job, executor: Executor, schedule: Schedule, observer: Observer = ignore_progress
) -> Ledger:
    """Run the job to its end on an entered executor; return its complete ledger."""
    ledger = job.ledger()
    chunks = schedule.chunks_of(ledger.gaps, executor.slots)
    in_flight: set[Chunk] = set()
    limit = InFlightLimit(executor.slots)
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
