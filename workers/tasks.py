"""The Celery tasks that compute chunks and run probes, and the signals that announce a worker.

Celery imports this module in a worker: ``celery --app poolrace.workers.tasks``.
"""

import logging
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import billiard.pool
from celery import Task, signals
from celery.exceptions import Ignore

from poolrace.workers.app import ON_HOST, PROBE_TASK, TASK, make_app
from poolrace.workers.chunks import (
    Chunk,
    ChunkResult,
    CutRange,
    from_cut_ranges,
    results_to_json,
)
from poolrace.workers.compute import Cancelled, take_slot
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.probes.run import run_probe
from poolrace.workers.protocol import queue_of
from poolrace.workers.runtime.cancellation import RunningChunks
from poolrace.workers.runtime.healthcheck import Heartbeat
from poolrace.workers.runtime.pause import ConsumerPause
from poolrace.workers.runtime.presence import Announcer, Presence
from poolrace.workers.runtime.requests import CountingRequest, current_work
from poolrace.workers.runtime.slot_session import take_own_session
from poolrace.workers.settings import WorkerSettings
from poolrace.workers.workloads import Workload, make_workload

if TYPE_CHECKING:
    import redis

_settings = WorkerSettings.from_env()

app = make_app(_settings)
"""The Celery app of this worker."""

EXIT_CHECKS = 10
"""Checks, a tenth of a second apart, whether the parent of a prefork process has read all of its
results, before the process exits anyway. billiard's own limit is 300: if the parent had discarded a
chunk that the process took as the worker was told to end, the end took 32 s instead of 2 s."""

_announcers: list[Announcer] = []
_connections: dict[int, Any] = {}


@app.task(name=TASK, bind=True, Request=CountingRequest)
def compute_batch(
    task: Task,
    job: str,
    workload: str,
    parameters: dict[str, Any],
    ranges: list[CutRange],
    time_limit_s: float | None = None,
) -> dict[str, Any]:
    """Compute a batch of chunks, one after the other; returns their results as a JSON object.

    A cancelled job ends its batch without a result. ``time_limit_s`` applies to each chunk.
    """
    work = make_workload(workload, parameters)
    for start, stop, _ in ranges:
        work.check(start, stop)
    chunks = from_cut_ranges(ranges)
    try:
        return results_to_json(_results(work, chunks, job, time_limit_s, task.request.id))
    except Cancelled as cancelled:
        raise Ignore(f"job {job} was cancelled") from cancelled
    except Exception as error:
        error.add_note(f"{ON_HOST}{_settings.host}")
        raise


@app.task(name=PROBE_TASK)
def probe(name: str) -> dict[str, Any]:
    """Measure one experiment of the claims; returns its answer, with the facts of this host."""
    return {"host": HostFacts.collect(_settings.host).to_json(), **run_probe(name)}


def _results(
    work: Workload, chunks: Sequence[Chunk], job: str, time_limit_s: float | None, task_id: str
) -> list[ChunkResult]:
    results = []
    host = _settings.host
    # One slot and one registration for the whole batch: each costs as much as a short chunk.
    with _running.batch(job, time_limit_s) as batch, take_slot(task_id) as slot:
        point = batch.cancellation_point
        for chunk in chunks:
            batch.begin_chunk()
            results.append(slot.compute(work, chunk, host, cancellation_point=point))
    return results


@signals.after_setup_logger.connect
def _limit_logging(loglevel: int, **_: Any) -> None:
    """Log Celery's two lines per message only at level DEBUG: storing them costs the supervisor
    0.1 ms of CPU time, a fifteenth of the cost of a message."""
    if loglevel > logging.DEBUG:
        for name in ("celery.app.trace", "celery.worker.strategy"):
            logging.getLogger(name).setLevel(logging.WARNING)


@signals.worker_process_init.connect
def _prepare_process(**_: Any) -> None:
    """Give this prefork process its share of the cores, and have it exit soon when it is told to:
    it has stored the results of its chunks itself."""
    take_own_session()
    billiard.pool.GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT = EXIT_CHECKS


@signals.worker_ready.connect
def _announce(sender: Any, **_: Any) -> None:
    if _announcers:
        return  # Celery sends the signal again when a lost connection is back
    presence = Presence(
        name=sender.hostname,
        pool=sender.hostname.partition("@")[0],
        slots=sender.controller.concurrency,
        pid=os.getpid(),
        since=datetime.now(UTC).isoformat(timespec="milliseconds"),
        host=HostFacts.collect(_settings.host),
    )
    announcer = Announcer(
        _broker(),
        presence,
        work=lambda: current_work(presence.pool),
        request_pause=ConsumerPause(sender, queue_of(presence.pool)).request,
    )
    _announcers.append(announcer)
    announcer.start()
    if _settings.heartbeat_file:
        Heartbeat(_settings.heartbeat_file, _running.healthy).start()


@signals.worker_shutting_down.connect
def _announce_shutdown(**_: Any) -> None:
    for announcer in _announcers:
        announcer.leave()


@signals.worker_shutdown.connect
def _stop_announcing(**_: Any) -> None:
    for announcer in _announcers:
        announcer.stop()


def _broker() -> "redis.Redis":
    """The Redis client of this process; a prefork child must not use the client of its parent."""
    pid = os.getpid()
    if pid not in _connections:
        _connections[pid] = app.connection_for_write()
    client: redis.Redis = _connections[pid].default_channel.client
    return client


_running = RunningChunks(_broker)
