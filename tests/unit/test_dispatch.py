"""The stream from schedule to ledger: in bounded memory, and not to be fooled."""

from collections.abc import Sequence

from poolrace.producer.executors.models import Model, make_executor
from poolrace.producer.executors.single import Single
from poolrace.producer.experiments.dispatch import dispatch
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import AUTO, Dynamic
from poolrace.producer.settings import Settings
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.workloads import make_workload


class Watched(Single):
    """``single`` that counts, and brings each result twice, with a stranger between."""

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
        strangers = [
            ChunkResult(Chunk(990, 999), 10**9, 0.0, 0.0, 0.0, "elsewhere", "1.0"),
            ChunkResult(Chunk(-5, 2000), 10**9, 0.0, 0.0, 0.0, "elsewhere", "1.0"),
        ]
        return [*results, *strangers, *results]


def test_duplicates_are_counted_and_strangers_ignored() -> None:
    job = Job(make_workload("sum", {}), 0, 1000)
    with Watched(job, slots=1) as executor:
        ledger = dispatch(job, executor, Dynamic(size=10))
    assert ledger.value == job.expected()
    assert ledger.duplicates >= 99


def test_chunks_in_flight_depend_on_the_slots_and_not_on_the_number_of_chunks() -> None:
    job = Job(make_workload("mixed", {"cpu_s": 0, "wait_s": 0.0}), 0, 50_000)
    with Watched(job, slots=2) as executor:
        dispatch(job, executor, Dynamic(size=1))
    assert executor.most_in_flight <= 2 + 1024


def test_the_observer_sees_the_value_grow(settings: Settings) -> None:
    job = Job(make_workload("minimum", {"values": (10, 4, 22, -6)}), 0, 4)
    seen = []
    with make_executor(Model("local", "single"), job, settings) as executor:
        dispatch(job, executor, Dynamic(size=1), lambda ledger, _: seen.append(ledger.value))
    assert seen == [10, 4, 4, -6]


def test_an_empty_job_needs_no_chunk(settings: Settings) -> None:
    job = Job(make_workload("sum", {}), 5, 5)
    with make_executor(Model("local", "single"), job, settings) as executor:
        ledger = dispatch(job, executor, AUTO.make(0))
    assert ledger.complete
    assert ledger.value == job.expected() == 0
