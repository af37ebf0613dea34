"""The chunks that run in this process: told when their job is cancelled, and when time is up.

A chunk passes a checkpoint at each of its steps. That reaches every pool alike: solo cannot
hear a revoke while it computes, threads and gevent cannot be terminated.
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

from poolrace.workers.compute import Cancelled
from poolrace.workers.errors import ChunkTimeout

ASK_S = 1.0
"""Seconds between two questions for cancelled jobs, one for all chunks of a process. A shorter
chunk asks none."""

STANDS_STILL_S = 60.0
"""Seconds without a checkpoint after which a chunk is taken to hang; steps take well under one."""

CANCELLED_KEY_S = 3600
"""Seconds that Redis remembers a cancelled job, longer than any message of it lives."""

logger = logging.getLogger(__name__)


def cancel_key(job: str) -> str:
    """The key whose presence means that the job was cancelled."""
    return f"poolrace:cancelled:{job}"


@dataclass
class _Chunk:
    job: str
    seen: float
    """When it last passed a checkpoint, by the monotonic clock."""


class RunningChunks:
    """The running chunks of one process. ``client`` gives a connection to the broker."""

    def __init__(self, client: Callable[[], "redis.Redis"]) -> None:
        self._client = client
        self._chunks: dict[int, _Chunk] = {}
        self._numbers = itertools.count()
        self._cancelled: set[str] = set()
        self._asked = time.monotonic()
        self._lock = threading.Lock()

    def moving(self) -> bool:
        """Whether every chunk of this process passed a checkpoint not long ago."""
        oldest = min((chunk.seen for chunk in list(self._chunks.values())), default=math.inf)
        return time.monotonic() - oldest < STANDS_STILL_S

    @contextmanager
    def chunk(self, job: str, time_limit_s: float | None) -> Iterator[Callable[[], None]]:
        """A chunk of that job runs; gives its checkpoint.

        The checkpoint raises ``Cancelled``, and ``ChunkTimeout`` after ``time_limit_s`` seconds.
        """
        began = time.monotonic()
        number = next(self._numbers)
        chunk = self._chunks[number] = _Chunk(job, began)

        def checkpoint() -> None:
            nonlocal began
            chunk.seen = time.monotonic()
            if time_limit_s and chunk.seen - began > time_limit_s:
                raise ChunkTimeout(f"it ran for more than its limit of {time_limit_s:g} s")
            if chunk.seen - self._asked >= ASK_S:
                self._ask()
                began += time.monotonic() - chunk.seen  # a Redis that is away takes its time
            if job in self._cancelled:
                raise Cancelled(job)

        try:
            yield checkpoint
        finally:
            del self._chunks[number]

    def _ask(self) -> None:
        if not self._lock.acquire(blocking=False):
            return  # another thread or greenlet of this process is at it
        try:
            jobs = sorted({chunk.job for chunk in list(self._chunks.values())})
            marks = self._client().mget([cancel_key(job) for job in jobs])
            self._cancelled = {job for job, mark in zip(jobs, marks, strict=True) if mark}
        except redis.RedisError as error:
            logger.warning("cannot ask for cancelled jobs, the chunk goes on: %s", error)
        finally:
            self._asked = time.monotonic()
            self._lock.release()
