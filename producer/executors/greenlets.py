"""``greenlets``: gevent in one thread, which changes chunks only when a chunk waits.

Calls gevent directly and monkey-patches nothing, so the producer's other code is not affected.
"""

from collections.abc import Sequence

import gevent
import gevent.lock
import gevent.queue

from poolrace.producer.executors.base import LocalExecutor
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.compute import compute


class Greenlets(LocalExecutor):
    """Runs each chunk in a greenlet of its own, at most ``slots`` of them at a time."""

    name = "greenlets"

    def start(self) -> None:
        """Create the semaphore that counts free slots, and the queue of finished greenlets."""
        self._free_slots = gevent.lock.BoundedSemaphore(self.slots)
        self._done: gevent.queue.SimpleQueue = gevent.queue.SimpleQueue()
        self._running: dict[gevent.Greenlet, Chunk] = {}

    def close(self) -> None:
        """Kill the unfinished greenlets."""
        gevent.killall(list(self._running))

    def submit(self, chunks: Sequence[Chunk]) -> None:
        """Start a greenlet for each chunk; at most ``slots`` of them run at a time."""
        for chunk in chunks:
            greenlet = gevent.Greenlet(self._compute, chunk)
            greenlet.link(self._done.put)
            self._running[greenlet] = chunk
            greenlet.start()

    def collect(self, timeout_s: float) -> list[ChunkResult]:
        """Let the greenlets run until one is done."""
        try:
            greenlet = self._done.get(timeout=timeout_s)
        except gevent.queue.Empty:
            return []
        chunk = self._running.pop(greenlet)
        outcome: ChunkResult | BaseException = greenlet.value
        if isinstance(outcome, Exception):
            raise self.chunk_error(chunk, outcome) from outcome
        if isinstance(outcome, BaseException):
            raise outcome  # Ctrl-C arrived while the greenlet ran
        return [outcome]

    def _compute(self, chunk: Chunk) -> ChunkResult | BaseException:
        with self._free_slots:
            try:
                return compute(self.job.workload, chunk, self.host, sleep=gevent.sleep)
            except BaseException as error:  # noqa: BLE001 # raised by collect; gevent would print it
                return error
