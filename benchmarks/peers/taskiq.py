"""taskiq with the stream broker of taskiq-redis: ``kiq`` for each chunk, ``gather`` for all."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack

import taskiq
from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

from benchmarks.peers.base import SLOTS, ChunkPeer
from benchmarks.services import redis_url, service
from benchmarks.work import Bounds, run

backend = RedisAsyncResultBackend(redis_url())
broker = RedisStreamBroker(redis_url()).with_result_backend(backend)
compute = broker.task(run)


class Taskiq(ChunkPeer):
    """A taskiq worker of two processes; a chunk runs in a thread, as synchronous tasks do."""

    def connect(self, opened: ExitStack) -> None:
        """Start the workers, and a broker in this process."""
        opened.enter_context(
            service("taskiq", "worker", "benchmarks.peers.taskiq:broker", "-w", str(SLOTS))
        )
        self._runner = opened.enter_context(asyncio.Runner())
        self._runner.run(broker.startup())
        opened.callback(lambda: self._runner.run(broker.shutdown()))

    def values(self, kernel: str, chunks: Sequence[Bounds]) -> Sequence[int]:
        """The values of the chunks, in order."""
        return self._runner.run(_values(kernel, chunks))


async def _values(kernel: str, chunks: Sequence[Bounds]) -> list[int]:
    tasks = [await compute.kiq(kernel, *chunk) for chunk in chunks]
    return [int(result.return_value) for result in await taskiq.gather(*tasks)]
