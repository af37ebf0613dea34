"""Ends running chunks when their job is cancelled or their time limit is reached.

A chunk calls its cancellation point before each of its steps. Celery's own means do not reach
every pool: solo does not read a revoke while it computes, and threads and gevent cannot terminate
a task.
"""

import itertools
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis

from poolrace.workers.compute import Cancelled
from poolrace.workers.errors import ChunkTimeout

POLL_S = 1.0
"""Seconds between two polls of Redis for cancelled jobs; one poll covers all chunks of a process.
A chunk that ends sooner polls nothing."""

HUNG_S = 60.0
"""Seconds without a cancellation point after which a chunk counts as hung; a step takes well under
one second."""

CANCELLED_KEY_S = 3600
"""Seconds until the key of a cancelled job expires; longer than the job's messages exist."""

logger = logging.getLogger(__name__)


def cancel_key(job: str) -> str:
    """The Redis key that exists while the job is cancelled."""
    return f"poolrace:cancelled:{job}"


class RunningChunks:
    """Watches the running chunks of one process. ``client`` returns a connection to the broker."""

    def __init__(self, client: Callable[[], "redis.Redis"]) -> None:
        self._client = client
        self._batches: dict[int, RunningBatch] = {}
        self._numbers = itertools.count()
        self.cancelled: set[str] = set()
        """The running jobs that were cancelled, by the last poll."""
        self.polled_at = time.monotonic()
        """Time of the last poll for cancelled jobs."""
        self._lock = threading.Lock()

    def healthy(self) -> bool:
        """Whether no chunk of this process has hung for ``HUNG_S``."""
        oldest = min((batch.last_seen for batch in list(self._batches.values())), default=math.inf)
        return time.monotonic() - oldest < HUNG_S

    @contextmanager
    def batch(self, job: str, time_limit_s: float | None) -> Iterator["RunningBatch"]:
        """Register a batch of ``job`` as running; ``time_limit_s`` applies to each chunk."""
        number = next(self._numbers)
        batch = self._batches[number] = RunningBatch(self, job, time_limit_s)
        try:
            yield batch
        finally:
            del self._batches[number]

    def poll(self) -> None:
        """Read from Redis which jobs are cancelled, unless another thread is reading."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            jobs = sorted({batch.job for batch in list(self._batches.values())})
            marks = self._client().mget([cancel_key(job) for job in jobs])
            self.cancelled = {job for job, mark in zip(jobs, marks, strict=True) if mark}
        except redis.RedisError as error:
            logger.warning("cannot read which jobs are cancelled, the chunk continues: %s", error)
        finally:
            self.polled_at = time.monotonic()
            self._lock.release()


class RunningBatch:
    """A running batch: its job, and the cancellation point of its chunks."""

    def __init__(self, running: RunningChunks, job: str, time_limit_s: float | None) -> None:
        self.job = job
        self.last_seen = time.monotonic()
        """Time of the last cancellation point, by the monotonic clock."""
        self._running = running
        self._time_limit_s = time_limit_s or math.inf
        self._chunk_began = self.last_seen

    def begin_chunk(self) -> None:
        """Start the time limit of the next chunk."""
        self.last_seen = self._chunk_began = time.monotonic()

    def cancellation_point(self) -> None:
        """Raise ``Cancelled`` if the job was cancelled, ``ChunkTimeout`` beyond the time limit."""
        self.last_seen = now = time.monotonic()
        if now - self._chunk_began > self._time_limit_s:
            limit = f"{self._time_limit_s:g} s"
            raise ChunkTimeout(f"the chunk ran for more than its limit of {limit}")
        if now - self._running.polled_at >= POLL_S:
            self._running.poll()
            # A poll of an unreachable Redis takes long; the time limit leaves it out.
            self._chunk_began += time.monotonic() - now
        if self.job in self._running.cancelled:
            raise Cancelled(self.job)
