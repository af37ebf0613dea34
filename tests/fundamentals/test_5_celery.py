"""Last: a Celery pool is one more execution model, on as many hosts as there are workers.

The same compute function runs, in workers that take chunks from the queue of their pool.
Results are pushed back by Redis as they are stored.
"""

import pytest

from poolrace.producer.executors.models import Model
from poolrace.producer.settings import Settings
from poolrace.workers.pools import POOLS
from poolrace.workers.workloads import make_workload
from tests.conftest import POOL_SLOTS, run_once


@pytest.mark.parametrize("pool", POOLS)
def test_a_pool_runs_a_job_as_a_local_model_does(pool: str, with_cluster: Settings) -> None:
    run = run_once(make_workload("sum", {}), 0, 100_000, Model("celery", pool), with_cluster)
    assert run.model == f"celery:{pool}"
    assert run.slots == POOL_SLOTS[pool]
    assert run.value == sum(range(100_000))
    assert run.exact
    assert run.intervals == [[0, 100_000]]  # one interval: each index was counted once
