"""Fourth: an executor runs chunks under one execution model; all executors have one interface.

``submit`` takes chunks, ``collect`` returns results. A *slot* runs one chunk at a time. Depending
on the model, a slot is a thread, a process, a coroutine or a greenlet.
"""

import pytest

from poolrace.producer.executors.models import Model, make_executor
from poolrace.producer.experiments.dispatch import dispatch
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import Dynamic
from poolrace.producer.settings import Settings
from poolrace.workers.chunks import Chunk
from poolrace.workers.workloads import make_workload
from tests.conftest import run_once


def test_an_executor_takes_chunks_and_returns_results(settings: Settings) -> None:
    job = Job(make_workload("sum", {}), 0, 100)
    with make_executor(Model("local", "threads", 2), job, settings) as executor:
        executor.submit([Chunk(0, 50), Chunk(50, 100)])
        results = [*executor.collect(10.0), *executor.collect(10.0)]
    assert sum(result.value for result in results) == sum(range(100))


def test_dispatch_streams_chunks_from_a_schedule_through_an_executor_to_a_ledger(
    settings: Settings,
) -> None:
    job = Job(make_workload("sum", {}), 0, 1000)
    with make_executor(Model("local", "single"), job, settings) as executor:
        ledger = dispatch(job, executor, Dynamic(size=10))
    assert ledger.complete
    assert ledger.value == job.expected() == 499_500


@pytest.mark.timing
def test_waiting_overlaps_under_coroutines(settings: Settings) -> None:
    """2!, 3! and 4! with a wait for each product: six waits take as long as the longest three."""
    factorial = make_workload("factorial", {"wait_s": 0.1})
    run = run_once(factorial, 2, 5, Model("local", "coroutines"), settings)
    assert run.value == 32
    assert 0.3 <= run.elapsed_s < 0.5
    alone = run_once(factorial, 2, 5, Model("local", "single"), settings)
    assert alone.elapsed_s >= 0.6
