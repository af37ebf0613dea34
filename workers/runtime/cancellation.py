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
from dataclasses import dataclass

import redis

from poolrace.workers.compute import CancellationPoint, Cancelled
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


@dataclass
class _RunningChunk:
    """A running chunk: its job and its last cancellation point."""

    job: str
    last_seen: float
    """Time of the chunk's last cancellation point, by the monotonic clock."""


class RunningChunks:
    """Watches the running chunks of one process. ``client`` returns a connection to the broker."""

    def __init__(self, client: Callable[[], "redis.Redis"]) -> None:
        self._client = client
        self._chunks: dict[int, _RunningChunk] = {}
        self._numbers = itertools.count()
        self._cancelled: set[str] = set()
        self._polled_at = time.monotonic()
        self._lock = threading.Lock()

    def healthy(self) -> bool:
        """Whether no chunk of this process has hung for ``HUNG_S``."""
        oldest = min((chunk.last_seen for chunk in list(self._chunks.values())), default=math.inf)
        return time.monotonic() - oldest < HUNG_S

    @contextmanager
    def chunk(self, job: str, time_limit_s: float | None) -> Iterator[CancellationPoint]:
        """Register a chunk of ``job`` as running; yields its cancellation point.

        The cancellation point raises ``Cancelled`` if the job was cancelled, and ``ChunkTimeout``
        after ``time_limit_s`` seconds.
        """
        began = time.monotonic()
        number = next(self._numbers)
        chunk = self._chunks[number] = _RunningChunk(job, began)

        def cancellation_point() -> None:
            nonlocal began
            chunk.last_seen = time.monotonic()
            if time_limit_s and chunk.last_seen - began > time_limit_s:
                raise ChunkTimeout(f"the chunk ran for more than its limit of {time_limit_s:g} s")
            if chunk.last_seen - self._polled_at >= POLL_S:
                self._poll()
                # A poll of an unreachable Redis takes long; the time limit leaves it out.
                began += time.monotonic() - chunk.last_seen
            if job in self._cancelled:
                raise Cancelled(job)

        try:
            yield cancellation_point
        finally:
            del self._chunks[number]

    def _poll(self) -> None:
        """Read from Redis which jobs are cancelled, unless another thread is reading."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            jobs = sorted({chunk.job for chunk in list(self._chunks.values())})
            marks = self._client().mget([cancel_key(job) for job in jobs])
            self._cancelled = {job for job, mark in zip(jobs, marks, strict=True) if mark}
        except redis.RedisError as error:
            logger.warning("cannot read which jobs are cancelled, the chunk continues: %s", error)
        finally:
            self._polled_at = time.monotonic()
            self._lock.release()
