"""The live view of a real cluster."""

import os
import pty
import select
import signal
import subprocess
import sys
import time

import pytest
import redis

from poolrace.producer.cluster.state import Cluster
from poolrace.producer.executors.models import Model
from poolrace.producer.settings import Settings
from poolrace.producer.watch.reader import Reader
from poolrace.workers.workloads import make_workload
from tests.conftest import PATIENCE_S, POOL_SLOTS, run_once, wait_until

LEAVE_SCREEN = b"\x1b[?1049l"
SHOW_CURSOR = b"\x1b[?25h"


def test_a_snapshot_shows_workers_jobs_and_rates(
    cluster: Cluster, store: redis.Redis, with_cluster: Settings
) -> None:
    reader = Reader(store, cluster.broker_url)
    first = reader.read()
    assert {worker.pool: worker.slots for worker in first.workers} == POOL_SLOTS
    assert first.memory_bytes > 0
    assert first.commands <= 9 + len(first.workers)
    run = run_once(make_workload("sum", {}), 0, 1000, Model("celery", "threads"), with_cluster)

    def rated() -> bool:
        return any((each.chunks_per_s or 0) > 0 for each in reader.read().workers)

    wait_until(rated)
    snapshot = reader.read()
    assert all(each.working is not None for each in snapshot.workers)
    job = next(each for each in snapshot.jobs if each.job == run.job)
    assert (job.state, job.done, set(job.coverage)) == ("finished", 1.0, {1.0})
    assert any(run.job in event.text for event in snapshot.events)


def test_a_lost_redis_is_an_error_in_the_frame() -> None:
    client = redis.Redis(port=1, socket_connect_timeout=1)
    snapshot = Reader(client, "redis://:secret@127.0.0.1:1/0").read()
    assert snapshot.error
    assert "secret" not in repr(snapshot)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_as_it_was(cluster: Cluster, signum: signal.Signals) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "poolrace", "watch", "--broker", cluster.broker_url]
    environment = {**os.environ, "TERM": "xterm"}
    watch = subprocess.Popen(
        command, stdin=follower, stdout=follower, stderr=follower, env=environment
    )
    os.close(follower)
    written = _read_until(leader, b"workers")
    assert b"\x1b[?1049h" in written
    watch.send_signal(signum)
    written = _read_until(leader, SHOW_CURSOR)
    assert LEAVE_SCREEN in written
    assert watch.wait(PATIENCE_S) == 128 + signum
    os.close(leader)


def _read_until(leader: int, text: bytes) -> bytes:
    """The output of the terminal up to the text."""
    written, deadline = b"", time.monotonic() + PATIENCE_S
    while text not in written and time.monotonic() < deadline:
        if select.select([leader], [], [], 1)[0]:
            try:
                written += os.read(leader, 65536)
            except OSError:  # the program ended
                break
    assert text in written
    return written
