"""Celery's own ``group(...).apply_async().get()``, with Redis as broker and result backend.

All settings are Celery's defaults but ``worker_prefetch_multiplier``: Celery's guide ("Optimizing")
recommends 64 or 128 for many short tasks.
"""

from collections.abc import Sequence
from contextlib import ExitStack

from celery import Celery, group

from benchmarks.peers.base import SLOTS, ChunkPeer
from benchmarks.services import redis_url, service
from benchmarks.work import Bounds, run

MODULE = "benchmarks.peers.celery_group"

app = Celery("bench", broker=redis_url(), backend=redis_url())
app.conf.worker_prefetch_multiplier = 64
compute = app.task(run, name="bench.run")


class CeleryGroup(ChunkPeer):
    """A Celery worker: prefork, with two processes."""

    pool = "prefork"
    slots = SLOTS

    def connect(self, opened: ExitStack) -> None:
        """Start the worker by its command line: gevent must patch before other imports."""
        command = ("celery", "-A", MODULE, "worker", "-P", self.pool, "-c", str(self.slots))
        opened.enter_context(service(*command, "--loglevel", "ERROR"))
        opened.callback(app.close)

    def values(self, kernel: str, chunks: Sequence[Bounds]) -> Sequence[int]:
        """The values of the chunks, in order."""
        result = group(compute.s(kernel, *chunk) for chunk in chunks).apply_async()
        return list(result.get())


class CeleryGroupWaiting(CeleryGroup):
    """A Celery worker: gevent, with a thousand greenlets; one message per waiting index."""

    pool = "gevent"
    slots = 1000
    processes = 1
    kernel = "wait"
