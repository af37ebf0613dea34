"""Third: the ledger counts every index exactly once, in any order of arrival.

Celery delivers a message at least once. The ledger ignores duplicates, so the effect is exactly
once. A run is reported as "exact" only if its ledger is complete.
"""

import pytest

from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import OverlapError
from poolrace.workers.chunks import Chunk
from poolrace.workers.workloads import make_workload


def test_the_ledger_is_complete_when_the_range_is_covered() -> None:
    ledger = Job(make_workload("sum", {}), 0, 10).ledger()
    ledger.add(Chunk(5, 10), sum(range(5, 10)))
    complete_before = ledger.complete
    ledger.add(Chunk(0, 5), sum(range(5)))
    assert (complete_before, ledger.complete) == (False, True)
    assert ledger.value == 45


def test_a_chunk_that_arrives_twice_counts_once() -> None:
    ledger = Job(make_workload("sum", {}), 0, 10).ledger()
    assert ledger.add(Chunk(0, 10), 45) is True
    assert ledger.add(Chunk(0, 10), 45) is False
    assert (ledger.value, ledger.duplicates) == (45, 1)


def test_a_chunk_that_overlaps_a_counted_one_raises() -> None:
    ledger = Job(make_workload("sum", {}), 0, 10).ledger()
    ledger.add(Chunk(0, 5), 10)
    with pytest.raises(OverlapError):
        ledger.add(Chunk(3, 8), 25)
