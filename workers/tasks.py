"""What a worker does: compute a chunk, announce and withdraw its presence."""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from celery import Task, signals
from celery.exceptions import Ignore
from celery.worker import state

from workers.app import ON_HOST, TASK, make_app
from workers.chunks import Chunk
from workers.compute import Cancelled, compute
from workers.heartbeat import Heartbeat
from workers.hosts import HostFacts
from workers.presence import Announcer, Presence
from workers.rest import Rest
from workers.running import Running
from workers.settings import Settings
from workers.workloads import make_workload

if TYPE_CHECKING:
    import redis

_settings = Settings.from_env()

app = make_app(_settings)
"""The app of a worker: ``celery --app workers.tasks``."""

_announcers: list[Announcer] = []
_connections: dict[int, Any] = {}


@app.task(name=TASK, bind=True)
def compute_chunk(
    _: Task,
    job: str,
    workload: str,
    parameters: dict[str, Any],
    start: int,
    stop: int,
    time_limit_s: float | None = None,
) -> dict[str, Any]:
    """Decode, compute, encode. The chunk of a cancelled job ends without a result."""
    work = make_workload(workload, parameters)
    work.check(start, stop)
    chunk = Chunk(start, stop)
    with _running.chunk(job, time_limit_s) as checkpoint:
        try:
            result = compute(work, chunk, _settings.host, checkpoint=checkpoint)
        except Cancelled as cancelled:
            raise Ignore(f"job {job} was cancelled") from cancelled
        except Exception as error:
            error.add_note(f"{ON_HOST}{_settings.host}")
            raise
    return result.to_json()


@signals.worker_ready.connect
def _announce(sender: Any, **_: Any) -> None:
    if _announcers:
        return  # the consumer restarted after a lost connection
    presence = Presence(
        name=sender.hostname,
        pool=sender.hostname.partition("@")[0],
        slots=sender.controller.concurrency,
        pid=os.getpid(),
        since=datetime.now(UTC).isoformat(timespec="milliseconds"),
        host=HostFacts.collect(_settings.host),
    )
    rest = Rest(sender, presence.pool)
    announcer = Announcer(_broker(), presence, holds=lambda: list(state.requests), rest=rest)
    _announcers.append(announcer)
    announcer.start()
    if _settings.heartbeat_file:
        Heartbeat(_settings.heartbeat_file, _running.moving).start()


@signals.worker_shutting_down.connect
def _leave(**_: Any) -> None:
    for announcer in _announcers:
        announcer.leave()


@signals.worker_shutdown.connect
def _end(**_: Any) -> None:
    for announcer in _announcers:
        announcer.end()


def _broker() -> "redis.Redis":
    """A client for the broker, one a process: a prefork child must not use its parent's."""
    pid = os.getpid()
    if pid not in _connections:
        _connections[pid] = app.connection_for_write()
    client: redis.Redis = _connections[pid].default_channel.client
    return client


_running = Running(_broker)
