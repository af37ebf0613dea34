"""Faults of a local cluster and its producers, by name, for the tests and for ``make chaos``.

A fault is over when its function returns; the cluster recovers by itself.
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
from poolrace.workers.chunks import Chunk, ChunkResult, results_to_json
from poolrace.workers.protocol import queue_of
from poolrace.workers.runtime.presence import Announcement
from tests.conftest import wait_until

if TYPE_CHECKING:
    import redis


DEEP = b"[" * 100_000
"""JSON that is too deep for any reader."""


@dataclass(frozen=True)
class Target:
    """Target of a fault: a cluster, one of its pools, and the producers that use the pool.

    ``seconds`` is the duration of a fault that lasts.
    """

    cluster: Cluster
    pool: str
    seconds: float = 0.0
    producers: "Sequence[subprocess.Popen[str]]" = ()

    @contextmanager
    def redis(self) -> "Iterator[redis.Redis]":
        """A client of the Redis of the cluster."""
        with connect(self.cluster.broker_url) as client:
            yield client

    @property
    def announcement(self) -> Announcement:
        """The last announcement of the only worker of the pool."""
        with self.redis() as client:
            [last] = [
                announcement
                for announcement in announcements(client)
                if announcement.presence.pool == self.pool
            ]
            return last

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers of the pool that take chunks."""
        with self.redis() as client:
            return [worker.pid for worker in present_workers(client) if worker.pool == self.pool]

    @property
    def worker(self) -> psutil.Process:
        """Process of the only worker of the pool."""
        [pid] = self.pids
        return psutil.Process(pid)

    @property
    def server(self) -> psutil.Process:
        """Process of the Redis server."""
        processes = members(self.cluster.session, Path(self.cluster.directory))
        [redis_server] = [process for process in processes if "-server" in process.name()]
        return redis_server


@contextmanager
def stopped(*processes: psutil.Process) -> Iterator[None]:
    """Stop the processes (SIGSTOP) for the duration of the block."""
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


@contextmanager
def additional_worker(
    cluster: Cluster, pool: str, host: str, url: str = ""
) -> Iterator[psutil.Popen]:
    """Run an additional worker under another host name; no supervisor restarts it.

    ``url`` is the address of its Redis, by default that of the cluster.
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
        with suppress(psutil.NoSuchProcess):  # it has ended already
            process.terminate()
        process.wait(timeout=30)
        with suppress(ProcessLookupError):  # child processes of a killed worker
            os.killpg(process.pid, signal.SIGKILL)


def kill_worker(target: Target) -> None:
    """Kill the worker (SIGKILL); the supervisor starts a new one."""
    target.worker.kill()


def kill_child(target: Target) -> None:
    """Kill a child process of the worker (SIGKILL), or the worker if it has none."""
    worker = target.worker
    (worker.children() or [worker])[0].kill()


def kill_child_with_chunk(target: Target) -> None:
    """Kill a child process of the worker (SIGKILL) while its chunk waits.

    A child whose chunk has just ended waits for the next one for some milliseconds. If it is killed
    then, Celery reports no lost task.
    """
    children = target.worker.children()
    wait_until(lambda: any(map(_waits_in_chunk, children)))
    next(filter(_waits_in_chunk, children)).kill()


def _waits_in_chunk(process: psutil.Process) -> bool:
    """Whether the process sleeps, as the waits of a workload do; a slot without a chunk reads."""
    if sys.platform != "linux":
        return True  # unknown
    return "nanosleep" in Path(f"/proc/{process.pid}/wchan").read_text()


def end_worker(target: Target) -> None:
    """Terminate the worker (SIGTERM): it announces its end, and finishes its chunks first."""
    worker = target.worker
    worker.terminate()
    wait_until(lambda: worker.pid not in target.pids)


def stop_worker(target: Target) -> None:
    """Stop the worker (SIGSTOP) and continue it (SIGCONT) after ``target.seconds``."""
    worker = target.worker
    with stopped(worker, *worker.children(recursive=True)):
        threading.Event().wait(target.seconds)


def flush_redis(target: Target) -> None:
    """Delete all keys (FLUSHALL)."""
    with target.redis() as client:
        client.flushall()


def swap_databases(target: Target) -> None:
    """Swap the database of the cluster with another one (SWAPDB)."""
    with target.redis() as client:
        client.swapdb(0, 1)


def kill_redis(target: Target) -> None:
    """Kill Redis (SIGKILL); the supervisor starts an empty one."""
    target.server.kill()


def stop_redis(target: Target) -> None:
    """Stop Redis (SIGSTOP) and continue it (SIGCONT) after ``target.seconds``."""
    with stopped(target.server):
        threading.Event().wait(target.seconds)


def pause_redis(target: Target) -> None:
    """Pause Redis (CLIENT PAUSE) for ``target.seconds``."""
    with target.redis() as client:
        client.client_pause(round(target.seconds * 1000))


def fill_redis(target: Target) -> None:
    """Set ``maxmemory`` below the used memory for ``target.seconds``: Redis refuses writes."""
    with target.redis() as client:
        client.config_set("maxmemory", "1mb")
        try:
            threading.Event().wait(target.seconds)
        finally:
            client.config_set("maxmemory", 0)


def fill_redis_repeatedly(target: Target) -> None:
    """Set ``maxmemory`` below the used memory twelve times, each for a fraction of a second."""
    between = threading.Event()
    with target.redis() as client:
        for part in range(1, 13):
            client.config_set("maxmemory", "1mb")
            between.wait(0.02 * part)
            client.config_set("maxmemory", 0)
            between.wait(0.3 - 0.02 * part)


def cut_connections_repeatedly(target: Target) -> None:
    """Close all other connections (CLIENT KILL) twelve times, several times a second."""
    with target.redis() as client:
        for part in range(1, 13):
            cut_others(client)
            threading.Event().wait(0.02 * part)


def cut_connections(target: Target) -> None:
    """Close all other connections (CLIENT KILL)."""
    with target.redis() as client:
        cut_others(client)


def cut_others(client: "redis.Redis") -> None:
    """Close all connections except that of the client (CLIENT KILL)."""
    for kind in ("normal", "pubsub"):
        client.client_kill_filter(_type=kind, skipme=True)


def forge_messages(target: Target) -> None:
    """Send malformed messages to the queue and to the result channels."""
    jobs = saved_jobs(Settings(broker_url=target.cluster.broker_url))
    backwards = results_to_json([ChunkResult(Chunk(5, 3), 1, 0.0, 0.0, 0.0, "nobody", "0")])
    answer = {"task_id": "none", "status": "SUCCESS", "result": backwards}
    results = b'{"status": "SUCCESS"}', b"\x80", DEEP, json.dumps(answer).encode()
    messages = b"\x80\x04.", b"{}", b"null", b'{"body": 1, "headers": {}}', DEEP
    with target.redis() as client:
        client.lpush(queue_of(target.pool), *messages)
        for job, result in itertools.product(jobs[:4], results):
            client.publish(f"celery-task-meta-{job.job}.0-1", result)


def add_host_for_a_while(target: Target) -> None:
    """Add a host to the pool, and stop it after ``target.seconds``."""
    with additional_worker(target.cluster, target.pool, "guest"):
        threading.Event().wait(target.seconds)


def kill_producer(target: Target) -> None:
    """Kill the producer (SIGKILL); its job has to be resumed."""
    target.producers[0].kill()


def interrupt_producer(target: Target) -> None:
    """Interrupt the producer (Ctrl-C); its job has to be resumed."""
    target.producers[0].send_signal(signal.SIGINT)


def stop_producer(target: Target) -> None:
    """Stop the producer (SIGSTOP), and continue it (SIGCONT) when it no longer owns its job."""
    target.producers[0].send_signal(signal.SIGSTOP)  # no effect if it has ended
    threading.Event().wait(target.seconds)
    target.producers[0].send_signal(signal.SIGCONT)


FAULTS: dict[str, Callable[[Target], None]] = {
    "worker killed": kill_worker,
    "prefork child killed": kill_child,
    "worker terminated": end_worker,
    "worker stopped for a while": stop_worker,
    "Redis flushed": flush_redis,
    "databases swapped": swap_databases,
    "Redis killed, started empty": kill_redis,
    "Redis stopped for a while": stop_redis,
    "Redis paused for a while": pause_redis,
    "Redis full for a while": fill_redis,
    "Redis full repeatedly": fill_redis_repeatedly,
    "connections cut": cut_connections,
    "connections cut repeatedly": cut_connections_repeatedly,
    "messages forged": forge_messages,
    "host added for a while": add_host_for_a_while,
    "producer killed, job resumed": kill_producer,
    "producer interrupted, job resumed": interrupt_producer,
    "producer stopped for a while": stop_producer,
}
