"""What can happen to the parts of a local cluster, by name: the faults of the tests and of
``make chaos``. A fault is done when the function returns; what heals is the cluster's business.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from producer.cluster.local import Cluster
from producer.cluster.sessions import members
from producer.connection import connect
from producer.fleet import present_workers, signs
from producer.kept import kept_jobs
from workers.presence import Sign
from workers.settings import Settings

if TYPE_CHECKING:
    import redis


@dataclass(frozen=True)
class Target:
    """What a fault hits: a cluster, and one pool in it, for so many seconds if it lasts."""

    cluster: Cluster
    pool: str
    seconds: float = 0.0

    @contextmanager
    def redis(self) -> "Iterator[redis.Redis]":
        """A client for the cluster's Redis."""
        with connect(self.cluster.broker_url) as client:
            yield client

    @property
    def sign(self) -> Sign:
        """The last sign of the pool's only worker."""
        with self.redis() as client:
            [found] = [sign for sign in signs(client) if sign.presence.pool == self.pool]
            return found

    @property
    def worker(self) -> psutil.Process:
        """The pool's only worker, which takes chunks."""
        with self.redis() as client:
            [pid] = [it.pid for it in present_workers(client) if it.pool == self.pool]
        return psutil.Process(pid)

    @property
    def server(self) -> psutil.Process:
        """Redis."""
        processes = members(self.cluster.session, Path(self.cluster.directory))
        [found] = [process for process in processes if "-server" in process.name()]
        return found


@contextmanager
def stopped(*processes: psutil.Process) -> Iterator[None]:
    """SIGSTOP for as long as the block lasts."""
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def kill_worker(target: Target) -> None:
    """SIGKILL; the supervisor starts another one."""
    target.worker.kill()


def kill_child(target: Target) -> None:
    """SIGKILL one of the worker's processes, if it has any; else the worker."""
    worker = target.worker
    (worker.children() or [worker])[0].kill()


def end_worker(target: Target) -> None:
    """SIGTERM: it ends its chunks first."""
    target.worker.terminate()


def stop_worker(target: Target) -> None:
    """SIGSTOP, and SIGCONT after a while."""
    worker = target.worker
    with stopped(worker, *worker.children(recursive=True)):
        threading.Event().wait(target.seconds)


def flush_redis(target: Target) -> None:
    """FLUSHALL."""
    with target.redis() as client:
        client.flushall()


def kill_redis(target: Target) -> None:
    """SIGKILL; the supervisor starts an empty one."""
    target.server.kill()


def stop_redis(target: Target) -> None:
    """SIGSTOP, and SIGCONT after a while."""
    with stopped(target.server):
        threading.Event().wait(target.seconds)


def pause_redis(target: Target) -> None:
    """CLIENT PAUSE."""
    with target.redis() as client:
        client.client_pause(round(target.seconds * 1000))


def cut_connections(target: Target) -> None:
    """CLIENT KILL, all of them but ours."""
    with target.redis() as client:
        for kind in ("normal", "pubsub"):
            client.client_kill_filter(_type=kind, skipme=True)


def forge_messages(target: Target) -> None:
    """Nonsense in the queue and on the channels of the results."""
    jobs = kept_jobs(Settings(broker_url=target.cluster.broker_url))
    with target.redis() as client:
        client.lpush(target.pool, b"\x80\x04.", b"{}", b"null", b'{"body": 1, "headers": {}}')
        for job in jobs[:4]:
            client.publish(f"celery-task-meta-{job.job}.0-1", b'{"status": "SUCCESS"}')


FAULTS: dict[str, Callable[[Target], None]] = {
    "worker killed": kill_worker,
    "prefork child killed": kill_child,
    "worker told to end": end_worker,
    "worker stopped for a while": stop_worker,
    "Redis flushed": flush_redis,
    "Redis killed, started empty": kill_redis,
    "Redis stopped for a while": stop_redis,
    "Redis paused for a while": pause_redis,
    "connections cut": cut_connections,
    "messages forged": forge_messages,
}
