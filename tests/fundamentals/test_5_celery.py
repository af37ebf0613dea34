"""Last: a Celery pool is an execution model that runs on one host or several.

Workers take chunks from the queue of their pool and compute them with the same function as the
local models. Redis pushes each result to the producer when it is stored.
"""

import pytest

from poolrace.producer.executors.models import Model
from poolrace.producer.settings import Settings
from poolrace.workers.pools import POOLS
from poolrace.workers.workloads import make_workload
from tests.conftest import POOL_SLOTS, run_once


@pytest.mark.parametrize("pool", POOLS)
def test_a_pool_runs_a_job_like_a_local_model(pool: str, with_cluster: Settings) -> None:
    run = run_once(make_workload("sum", {}), 0, 100_000, Model("celery", pool), with_cluster)
    assert run.model == f"celery:{pool}"
    assert run.slots == POOL_SLOTS[pool]
    assert run.value == sum(range(100_000))
    assert run.exact
    assert run.intervals == [[0, 100_000]]  # one interval: each index was counted once
