"""Simulates one run of a job on a described fleet, in virtual time and with the real dispatch."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from poolrace.producer.executors.simulated.executor import Simulated
from poolrace.producer.executors.simulated.fleet import Fleet, IndexTimes
from poolrace.producer.experiments.dispatch import Recorder, dispatch
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import Ledger
from poolrace.producer.jobs.schedules import Schedule
from poolrace.workers.chunks import ChunkResult


@dataclass(frozen=True)
class SimulatedRun:
    """The figures of one simulated run; all times are virtual seconds."""

    elapsed_s: float
    value: int
    exact: bool
    chunks: int
    counts: Mapping[str, int]
    """Number of chunks that were sent more than once, by reason: ``resent backups``."""
    producer_s: float
    redis_s: float
    slots_s: float
    """CPU seconds of the producer and of Redis; seconds that the slots spent on chunks."""
    results: Sequence[ChunkResult] = ()
    """The counted results in order of arrival, if they were asked for."""


class _Counter(Recorder):
    """Counts the results of a run, and keeps them if ``keep`` is set."""

    def __init__(self, *, keep: bool) -> None:
        self.chunks = 0
        self.results: list[ChunkResult] = []
        self._keep = keep

    def counted(self, ledger: Ledger, result: ChunkResult, sent_at: float) -> None:  # noqa: ARG002 # the recorder's signature
        """Count a result."""
        self.chunks += 1
        if self._keep:
            self.results.append(result)


def simulate(
    job: Job, fleet: Fleet, schedule: Schedule, times: IndexTimes, *, keep_results: bool = False
) -> SimulatedRun:
    """Run the job on the fleet in virtual time.

    Raises the errors of a real run, such as ``ClusterError`` if all hosts have died.
    """
    counter = _Counter(keep=keep_results)
    with _no_garbage_collection(), Simulated(job, fleet, times) as executor:
        cluster = executor.cluster
        ledger = dispatch(job, executor, schedule, recorder=counter, clock=cluster.clock)
        return SimulatedRun(
            elapsed_s=cluster.now,
            value=ledger.value,
            exact=ledger.complete and ledger.value == job.expected(),
            chunks=counter.chunks,
            counts=dict(executor.counts),
            producer_s=cluster.producer_s,
            redis_s=cluster.redis_s,
            slots_s=cluster.computed_s,
            results=counter.results,
        )


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Switch off the search for reference cycles, which takes 30 % of a large simulation.

    A simulated chunk is in no cycle: its memory is freed at once.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
