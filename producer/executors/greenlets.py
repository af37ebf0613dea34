"""``greenlets``: gevent in one thread; a slot gives way only where its chunk waits.

gevent is used by its own calls and patches nothing: the producer's other code stays as it is.
"""

from collections.abc import Sequence

import gevent
import gevent.lock
import gevent.queue

from poolrace.producer.executors.base import LocalExecutor
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.compute import compute


class Greenlets(LocalExecutor):
    """A greenlet a chunk, as many at a time as there are slots."""

    name = "greenlets"

    def start(self) -> None:
        """Nothing is needed before the first chunk."""
        self._free = gevent.lock.BoundedSemaphore(self.slots)
        self._done: gevent.queue.SimpleQueue = gevent.queue.SimpleQueue()
        self._running: dict[gevent.Greenlet, Chunk] = {}

    def close(self) -> None:
        """Kill what still waits."""
        gevent.killall(list(self._running))

    def submit(self, chunks: Sequence[Chunk]) -> None:
        """Make a greenlet of each chunk; at most ``slots`` of them compute or wait at a time."""
        for chunk in chunks:
            greenlet = gevent.Greenlet(self._compute, chunk)
            greenlet.link(self._done.put)
            self._running[greenlet] = chunk
            greenlet.start()

    def collect(self, timeout_s: float) -> list[ChunkResult]:
        """Let greenlets run until one is done."""
        try:
            greenlet = self._done.get(timeout=timeout_s)
        except gevent.queue.Empty:
            return []
        chunk = self._running.pop(greenlet)
        outcome: ChunkResult | BaseException = greenlet.value
        if isinstance(outcome, Exception):
            raise self.failed(chunk, outcome) from outcome
        if isinstance(outcome, BaseException):
            raise outcome  # Ctrl-C struck within the greenlet
        return [outcome]

    def _compute(self, chunk: Chunk) -> ChunkResult | BaseException:
        with self._free:
            try:
                return compute(self.job.workload, chunk, self.host, sleep=gevent.sleep)
            except BaseException as error:  # noqa: BLE001 # raised by collect; gevent would print it
                return error
