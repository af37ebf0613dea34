"""huey with Redis: ``task.map``, and the results of the group."""

from collections.abc import Sequence
from contextlib import ExitStack

from huey import RedisHuey

from benchmarks.peers.base import SLOTS, ChunkPeer
from benchmarks.services import redis_url, service
from benchmarks.work import Bounds, run

huey = RedisHuey("bench", url=redis_url())
compute = huey.task()(run)


class Huey(ChunkPeer):
    """A huey consumer with two worker processes."""

    def connect(self, opened: ExitStack) -> None:
        """Start the consumer."""
        command = ("huey.bin.huey_consumer", "benchmarks.peers.huey.huey", "-q")
        opened.enter_context(service(*command, "-w", str(SLOTS), "-k", "process"))

    def values(self, kernel: str, chunks: Sequence[Bounds]) -> Sequence[int]:
        """The values of the chunks, in order."""
        group = compute.map([(kernel, *chunk) for chunk in chunks])
        return list(group.get(blocking=True))
