"""A running chunk keeps its own message leased, and learns that its job was cancelled.

kombu hands a message to another worker once it has been unacknowledged for the visibility
timeout, be its worker dead or only busy. So that this timeout can be seconds while chunks may
take minutes, a running chunk renews its delivery time from its checkpoints. A worker that
died or stands still renews nothing. The same round trip asks for cancelled jobs, which
reaches every pool alike: solo cannot hear a revoke while it computes, threads and gevent
cannot be terminated.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import redis

from workers.app import UNACKED_INDEX
from workers.compute import Cancelled

RENEW_S = 1.0
"""Seconds between round trips, one for all chunks of a process. A shorter chunk makes none."""

STANDS_STILL_S = 60.0
"""Seconds without a checkpoint after which a chunk is taken to hang; steps take well under one."""

CANCELLED_KEY_S = 3600
"""Seconds that Redis remembers a cancelled job, longer than any message of it lives."""

logger = logging.getLogger(__name__)


def cancel_key(job: str) -> str:
    """The key whose presence means that the job was cancelled."""
    return f"poolrace:cancelled:{job}"


@dataclass
class _Lease:
    job: str
    seen: float
    """When its chunk last passed a checkpoint, by the monotonic clock."""


class Leases:
    """The leases of one process. ``client`` gives a connection to the broker."""

    def __init__(self, client: Callable[[], "redis.Redis"]) -> None:
        self._client = client
        self._leases: dict[str, _Lease] = {}
        self._cancelled: set[str] = set()
        self._renewed = time.monotonic()
        self._lock = threading.Lock()

    def moving(self) -> bool:
        """Whether every chunk of this process passed a checkpoint not long ago."""
        oldest = min((lease.seen for lease in list(self._leases.values())), default=math.inf)
        return time.monotonic() - oldest < STANDS_STILL_S

    @contextmanager
    def hold(self, tag: str, job: str) -> Iterator[Callable[[], None]]:
        """Lease the message with that delivery tag; gives the checkpoint for its chunk."""
        lease = self._leases[tag] = _Lease(job, time.monotonic())

        def checkpoint() -> None:
            lease.seen = time.monotonic()
            if lease.seen - self._renewed >= RENEW_S:
                self._renew()
            if job in self._cancelled:
                raise Cancelled(job)

        try:
            yield checkpoint
        finally:
            del self._leases[tag]

    def _renew(self) -> None:
        if not self._lock.acquire(blocking=False):
            return  # another thread or greenlet of this process is at it
        try:
            # A chunk that passed no checkpoint for long does not speak for itself any more.
            alive = {
                tag: lease
                for tag, lease in list(self._leases.items())
                if self._renewed - lease.seen < 2 * RENEW_S
            }
            jobs = sorted({lease.job for lease in alive.values()})
            with self._client().pipeline(transaction=False) as pipe:
                pipe.zadd(UNACKED_INDEX, dict.fromkeys(alive, time.time()), xx=True)
                pipe.mget([cancel_key(job) for job in jobs])
                _, cancelled = pipe.execute()
            self._cancelled = {job for job, mark in zip(jobs, cancelled, strict=True) if mark}
        except redis.RedisError as error:
            # The chunk goes on: at worst its message is delivered twice.
            logger.warning("leases not renewed: %s", error)
        finally:
            self._renewed = time.monotonic()
            self._lock.release()
