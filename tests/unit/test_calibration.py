"""The calibration of a simulation: which results it counts."""

from collections.abc import Sequence

from poolrace.producer.executors.single import Single
from poolrace.producer.experiments.calibration import arrivals
from poolrace.producer.jobs.job import Job
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.workloads import make_workload


class Repeating(Single):
    """Returns each result twice, as when a message was sent again and both results arrive."""

    def collect(self, timeout_s: float) -> list[ChunkResult]:
        return [result for result in super().collect(timeout_s) for _ in range(2)]


def chunks_of(starts: Sequence[int]) -> list[Chunk]:
    return [Chunk(start, start + 1) for start in starts]


def test_a_chunk_with_two_results_counts_once() -> None:
    job = Job(make_workload("sum", {}), 0, 20)
    warm_up, measured = chunks_of([0]), chunks_of(range(1, 6))
    with Repeating(job, 1, HostFacts.collect("here")) as executor:
        executor.submit([*warm_up, *measured])
        counted = [result.chunk for _, result in arrivals(executor, measured)]
    assert counted == measured
