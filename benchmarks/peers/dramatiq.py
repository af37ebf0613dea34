"""dramatiq with its Redis broker and result backend: a ``group``, and its results."""

from collections.abc import Sequence
from contextlib import ExitStack

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

from benchmarks.peers.base import SLOTS, ChunkPeer
from benchmarks.services import redis_url, service
from benchmarks.work import Bounds, run

RESULT_MS = 600_000
"""Milliseconds to wait for a result; dramatiq's default of 10 s is shorter than half the range
takes."""

broker = RedisBroker(url=redis_url())
broker.add_middleware(Results(backend=RedisBackend(url=redis_url())))
dramatiq.set_broker(broker)
compute = dramatiq.actor(run, store_results=True)


class Dramatiq(ChunkPeer):
    """A dramatiq worker of two processes with one thread each."""

    def connect(self, opened: ExitStack) -> None:
        """Start the workers."""
        opened.enter_context(
            service("dramatiq", "benchmarks.peers.dramatiq", "-p", str(SLOTS), "-t", "1")
        )
        opened.callback(broker.close)

    def values(self, kernel: str, chunks: Sequence[Bounds]) -> Sequence[int]:
        """The values of the chunks, in order."""
        group = dramatiq.group(compute.message(kernel, *chunk) for chunk in chunks).run()
        return list(group.get_results(block=True, timeout=RESULT_MS))
