"""What can happen to a local cluster and its producers, by name: the faults of the tests and of
``make chaos``. A fault is done when the function returns; what heals is the cluster's business.
"""

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from poolrace.producer.broker.client import connect
from poolrace.producer.broker.workers import announcements, present_workers
from poolrace.producer.cluster.state import Cluster
from poolrace.producer.experiments.saved_jobs import saved_jobs
from poolrace.producer.processes.session import members
from poolrace.producer.settings import Settings
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.runtime.presence import Announcement
from tests.conftest import wait_until

if TYPE_CHECKING:
    import redis


DEEP = b"[" * 100_000
"""JSON that is too deep for any reader."""


@dataclass(frozen=True)
class Target:
    """What a fault hits: a cluster, one pool in it, and who uses that now; for so many seconds
    if it lasts."""

    cluster: Cluster
    pool: str
    seconds: float = 0.0
    producers: "Sequence[subprocess.Popen[str]]" = ()

    @contextmanager
    def redis(self) -> "Iterator[redis.Redis]":
        """A client for the cluster's Redis."""
        with connect(self.cluster.broker_url) as client:
            yield client

    @property
    def sign(self) -> Announcement:
        """The last sign of the pool's only worker."""
        with self.redis() as client:
            [found] = [sign for sign in announcements(client) if sign.presence.pool == self.pool]
            return found

    @property
    def pids(self) -> list[int]:
        """Of the pool's workers that take chunks."""
        with self.redis() as client:
            return [it.pid for it in present_workers(client) if it.pool == self.pool]

    @property
    def worker(self) -> psutil.Process:
        """The pool's only worker, which takes chunks."""
        [pid] = self.pids
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


@contextmanager
def worker_beside(cluster: Cluster, pool: str, host: str, url: str = "") -> Iterator[psutil.Popen]:
    """One more worker, which takes itself for another host; nobody starts it again.

    ``url`` is where it finds Redis, by default where everybody does.
    """
    own = {"CELERY_BROKER_URL": url or cluster.broker_url, "POOLRACE_HOST": host}
    process = psutil.Popen(
        [sys.executable, "-m", "poolrace.workers", pool],
        env={**os.environ, **own},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)
        with suppress(ProcessLookupError):  # what a killed worker leaves behind
            os.killpg(process.pid, signal.SIGKILL)


def kill_worker(target: Target) -> None:
    """SIGKILL; the supervisor starts another one."""
    target.worker.kill()


def kill_child(target: Target) -> None:
    """SIGKILL one of the worker's processes, if it has any; else the worker."""
    worker = target.worker
    (worker.children() or [worker])[0].kill()


def end_worker(target: Target) -> None:
    """SIGTERM: it says that it takes no more, and ends its chunks first."""
    worker = target.worker
    worker.terminate()
    wait_until(lambda: worker.pid not in target.pids)


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


def fill_redis(target: Target) -> None:
    """``maxmemory`` below what it uses, for a while: it refuses what needs memory."""
    with target.redis() as client:
        client.config_set("maxmemory", "1mb")
        try:
            threading.Event().wait(target.seconds)
        finally:
            client.config_set("maxmemory", 0)


def fill_redis_now_and_then(target: Target) -> None:
    """``maxmemory`` below what it uses, for a fraction of a second, again and again."""
    between = threading.Event()
    with target.redis() as client:
        for part in range(1, 13):
            client.config_set("maxmemory", "1mb")
            between.wait(0.02 * part)
            client.config_set("maxmemory", 0)
            between.wait(0.3 - 0.02 * part)


def cut_connections_again_and_again(target: Target) -> None:
    """CLIENT KILL, all of them but ours, several times a second."""
    with target.redis() as client:
        for part in range(1, 13):
            cut_others(client)
            threading.Event().wait(0.02 * part)


def cut_connections(target: Target) -> None:
    """CLIENT KILL, all of them but ours."""
    with target.redis() as client:
        cut_others(client)


def cut_others(client: "redis.Redis") -> None:
    """CLIENT KILL, all of them but this one."""
    for kind in ("normal", "pubsub"):
        client.client_kill_filter(_type=kind, skipme=True)


def forge_messages(target: Target) -> None:
    """Nonsense in the queue and on the channels of the results."""
    jobs = saved_jobs(Settings(broker_url=target.cluster.broker_url))
    backwards = ChunkResult(Chunk(5, 3), 1, 0.0, 0.0, 0.0, "nobody", "0").to_json()
    answer = {"task_id": "none", "status": "SUCCESS", "result": [backwards]}
    results = b'{"status": "SUCCESS"}', b"\x80", DEEP, json.dumps(answer).encode()
    messages = b"\x80\x04.", b"{}", b"null", b'{"body": 1, "headers": {}}', DEEP
    with target.redis() as client:
        client.lpush(target.pool, *messages)
        for job, result in itertools.product(jobs[:4], results):
            client.publish(f"celery-task-meta-{job.job}.0-1", result)


def come_and_go(target: Target) -> None:
    """One more host of the pool, which leaves after a while."""
    with worker_beside(target.cluster, target.pool, "guest"):
        threading.Event().wait(target.seconds)


def kill_producer(target: Target) -> None:
    """SIGKILL; somebody has to resume its job."""
    target.producers[0].kill()


def interrupt_producer(target: Target) -> None:
    """Ctrl-C; somebody has to resume its job."""
    target.producers[0].send_signal(signal.SIGINT)


def stop_producer(target: Target) -> None:
    """SIGSTOP, and SIGCONT after a while, when it does not own its job any more."""
    target.producers[0].send_signal(signal.SIGSTOP)  # unless it is over
    threading.Event().wait(target.seconds)
    target.producers[0].send_signal(signal.SIGCONT)


FAULTS: dict[str, Callable[[Target], None]] = {
    "worker killed": kill_worker,
    "prefork child killed": kill_child,
    "worker told to end": end_worker,
    "worker stopped for a while": stop_worker,
    "Redis flushed": flush_redis,
    "Redis killed, started empty": kill_redis,
    "Redis stopped for a while": stop_redis,
    "Redis paused for a while": pause_redis,
    "Redis full for a while": fill_redis,
    "Redis full now and then": fill_redis_now_and_then,
    "connections cut": cut_connections,
    "connections cut again and again": cut_connections_again_and_again,
    "messages forged": forge_messages,
    "host comes and goes": come_and_go,
    "producer killed, job resumed": kill_producer,
    "producer interrupted, job resumed": interrupt_producer,
    "producer stopped for a while": stop_producer,
}
