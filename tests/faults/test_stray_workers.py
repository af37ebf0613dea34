"""Workers that cannot compute the chunks of a run: others do, and the run names them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from celery import Celery

from poolrace.producer.cluster.state import Cluster
from poolrace.workers.protocol import queue_of
from tests.conftest import wait_until
from tests.faults.runs import CHUNK, SLOTS, WAIT_S, run_on
from tests.run_in_thread import assert_exact

if TYPE_CHECKING:
    import redis

POOL = "solo"
STRAY = "stray@elsewhere"

pytestmark = pytest.mark.timeout(400)


@contextmanager
def stray_worker(cluster: Cluster) -> Iterator[None]:
    """A plain Celery worker that consumes the queue of the pool, and has no task."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "celery", "--app", "tests.faults.stray", "worker"),
            *("--pool", "solo", "--queues", queue_of(POOL), "--hostname", STRAY),
        ],
        env={**os.environ, "CELERY_BROKER_URL": cluster.broker_url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )
    try:
        with Celery(broker=cluster.broker_url) as app:
            inspect = app.control.inspect([STRAY], timeout=1.0)
            wait_until(inspect.active_queues, 40)
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_a_run_beside_a_stray_worker_is_exact_and_names_it(
    fault_cluster: Cluster, client: "redis.Redis"
) -> None:
    with stray_worker(fault_cluster):
        run = run_on(fault_cluster, POOL, round(SLOTS[POOL] * 2.0 / WAIT_S / CHUNK) * CHUNK)
    assert_exact(run)
    assert any(STRAY in event.what for event in run.events)
