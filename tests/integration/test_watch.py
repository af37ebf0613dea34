"""The live view of a real cluster."""

import signal

import pytest
import redis

from poolrace.producer.cluster.state import Cluster
from poolrace.producer.executors.models import Model, make_executor
from poolrace.producer.experiments.measure import measure
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import Ledger
from poolrace.producer.jobs.schedules import ScheduleChoice
from poolrace.producer.settings import Settings
from poolrace.producer.watch.reader import Reader
from poolrace.workers.runtime.presence import INDEX_KEY as WORKERS_KEY
from poolrace.workers.workloads import make_workload
from tests.conftest import PATIENCE_S, POOL_SLOTS, run_once, wait_until
from tests.terminal import COLUMNS, ROWS, Terminal, cells

HOME = b"\x1b[H"
LEAVE_SCREEN = b"\x1b[?1049l"
SHOW_CURSOR = b"\x1b[?25h"

FAILING = """
from rich.console import Console
from poolrace.producer.watch.snapshot import Snapshot
from poolrace.producer.watch.terminal import show_live
frames = iter([Snapshot("", "")])
def read():
    for frame in frames:
        return frame
    raise RuntimeError("made-up")
show_live(read, 0.1, Console())
"""
"""A live view whose second frame cannot be read."""


def test_a_snapshot_shows_workers_jobs_and_rates(
    cluster: Cluster, store: redis.Redis, with_cluster: Settings
) -> None:
    reader = Reader(store, cluster.broker_url)
    first = reader.read()
    assert {worker.pool: worker.slots for worker in first.workers} == POOL_SLOTS
    assert first.memory_bytes > 0
    assert first.commands <= 9 + int(store.scard(WORKERS_KEY))
    run = run_once(make_workload("sum", {}), 0, 1000, Model("celery", "threads"), with_cluster)

    def rated() -> bool:
        return any((each.chunks_per_s or 0) > 0 for each in reader.read().workers)

    wait_until(rated)
    snapshot = reader.read()
    assert all(each.working is not None for each in snapshot.workers)
    job = next(each for each in snapshot.jobs if each.job == run.job)
    assert (job.state, job.done, set(job.coverage)) == ("finished", 1.0, {1.0})
    assert any(run.job in event.text for event in snapshot.events)


@pytest.mark.parametrize("pool", POOL_SLOTS)
def test_the_busy_slots_are_those_in_the_results(
    cluster: Cluster, store: redis.Redis, with_cluster: Settings, pool: str
) -> None:
    reader = Reader(store, cluster.broker_url)
    waits = make_workload("mixed", {"wait_s": 0.5})
    seen: dict[str, str] = {}

    def read(_: Ledger, __: object) -> None:
        for worker in reader.read().workers:
            seen.update((worker.working or ()) if worker.pool == pool else ())

    job = Job(waits, 0, 8 * POOL_SLOTS[pool])
    executor = make_executor(Model("celery", pool), job, with_cluster)
    schedule = ScheduleChoice("dynamic", chunk_size=1).make_for(job)
    run = measure(job, executor, schedule, expected=job.expected(), observer=read)
    slots = {f"{run.job}.{record.start}-{record.stop}": record.slot for record in run.records}
    of_job = {slot: task_id for slot, task_id in seen.items() if task_id in slots}
    assert of_job
    assert of_job.items() <= {(slot, task_id) for task_id, slot in slots.items()}


def test_a_lost_redis_is_an_error_in_the_frame() -> None:
    client = redis.Redis(port=1, socket_connect_timeout=1)
    snapshot = Reader(client, "redis://:secret@127.0.0.1:1/0").read()
    assert snapshot.error
    assert "secret" not in repr(snapshot)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_as_it_was(cluster: Cluster, signum: signal.Signals) -> None:
    with Terminal() as terminal:
        before = terminal.attributes()
        watch = terminal.start("-m", "poolrace", "watch", "--broker", cluster.broker_url)
        assert b"\x1b[?1049h" in terminal.read_until(b"workers")
        watch.send_signal(signum)
        assert SHOW_CURSOR in terminal.read_until(LEAVE_SCREEN)
        assert watch.wait(PATIENCE_S) == 128 + signum
        assert terminal.attributes() == before


def test_an_exception_leaves_the_terminal_as_it_was() -> None:
    with Terminal() as terminal:
        before = terminal.attributes()
        watch = terminal.start("-c", FAILING)
        written = terminal.read_until(b"made-up")
        assert written.index(LEAVE_SCREEN) < written.index(b"made-up")
        assert SHOW_CURSOR in written
        assert watch.wait(PATIENCE_S) == 1
        assert terminal.attributes() == before


def test_the_view_follows_the_size_of_the_terminal(cluster: Cluster) -> None:
    with Terminal() as terminal:
        watch = terminal.start("-m", "poolrace", "watch", "--broker", cluster.broker_url)
        for columns in (COLUMNS, 40, 120):
            terminal.resize(ROWS, columns)
            widest = 0
            while widest != columns:  # fails if no such frame comes
                frame = terminal.read_until(HOME).removesuffix(HOME)
                widest = max(map(cells, frame.splitlines()), default=0)
            assert len(frame.splitlines()) == ROWS
        watch.send_signal(signal.SIGINT)
        terminal.read_until(LEAVE_SCREEN)
        assert watch.wait(PATIENCE_S) == 128 + signal.SIGINT
