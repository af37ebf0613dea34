"""Dispatch needs bounded memory, and counts only results of chunks that it sent."""

from collections.abc import Sequence

from poolrace.producer.executors.models import Model, make_executor
from poolrace.producer.executors.single import Single
from poolrace.producer.experiments.dispatch import dispatch
from poolrace.producer.experiments.in_flight_limit import MAX_CHUNKS_AHEAD
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import AUTO, Dynamic
from poolrace.producer.settings import Settings
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.workloads import make_workload


class RepeatingExecutor(Single):
    """``single`` that returns each result twice, and results of chunks that nobody sent.

    It counts the chunks in flight.
    """

    def __init__(self, job: Job, slots: int) -> None:
        super().__init__(job, slots, HostFacts.collect("here"))
        self.in_flight = self.most_in_flight = 0

    def submit(self, chunks: Sequence[Chunk]) -> None:
        self.in_flight += len(chunks)
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        super().submit(chunks)

    def collect(self, timeout_s: float) -> list[ChunkResult]:
        results = super().collect(timeout_s)
        self.in_flight -= len(results)
        unknown = [
            ChunkResult(Chunk(990, 999), 10**9, 0.0, 0.0, 0.0, "elsewhere", "1.0"),
            ChunkResult(Chunk(-5, 2000), 10**9, 0.0, 0.0, 0.0, "elsewhere", "1.0"),
        ]
        return [*results, *unknown, *results]


def test_duplicates_are_counted_and_results_of_unknown_chunks_are_ignored() -> None:
    job = Job(make_workload("sum", {}), 0, 1000)
    with RepeatingExecutor(job, slots=1) as executor:
        ledger = dispatch(job, executor, Dynamic(size=10))
    assert ledger.value == job.expected()
    assert ledger.duplicates >= 99


def test_the_number_of_chunks_in_flight_depends_on_the_slots_and_not_on_the_job() -> None:
    job = Job(make_workload("mixed", {"cpu_s": 0, "wait_s": 0.0}), 0, 50_000)
    with RepeatingExecutor(job, slots=2) as executor:
        dispatch(job, executor, Dynamic(size=1))
    assert executor.most_in_flight <= 2 + MAX_CHUNKS_AHEAD


def test_the_observer_gets_the_ledger_after_each_result(settings: Settings) -> None:
    job = Job(make_workload("minimum", {"values": (10, 4, 22, -6)}), 0, 4)
    values = []
    with make_executor(Model("local", "single"), job, settings) as executor:
        dispatch(job, executor, Dynamic(size=1), lambda ledger, _: values.append(ledger.value))
    assert values == [10, 4, 4, -6]


def test_an_empty_job_needs_no_chunk(settings: Settings) -> None:
    job = Job(make_workload("sum", {}), 5, 5)
    with make_executor(Model("local", "single"), job, settings) as executor:
        ledger = dispatch(job, executor, AUTO.make(0))
    assert ledger.complete
    assert ledger.value == job.expected() == 0
