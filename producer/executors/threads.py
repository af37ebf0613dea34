"""``threads``: one thread per slot in this process, all under one GIL."""

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from poolrace.producer.executors.base import LocalExecutor
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.compute import Cancelled, compute


class Threads(LocalExecutor):
    """Runs chunks in the standard library's thread pool."""

    name = "threads"

    def start(self) -> None:
        """Create the thread pool; it starts its threads with the first chunks."""
        self._closing = threading.Event()
        self._done: queue.SimpleQueue[tuple[Chunk, Future[ChunkResult]]] = queue.SimpleQueue()
        self._pool = ThreadPoolExecutor(self.slots, thread_name_prefix="slot")

    def close(self) -> None:
        """End the threads; a running chunk stops at its next cancellation point."""
        self._closing.set()
        self._pool.shutdown(cancel_futures=True)

    def submit(self, chunks: Sequence[Chunk]) -> None:
        """Queue the chunks in the thread pool."""
        for chunk in chunks:
            future = self._pool.submit(self._compute, chunk)
            future.add_done_callback(lambda done, chunk=chunk: self._done.put((chunk, done)))  # type: ignore[misc] # mypy cannot infer a lambda with a default

    def collect(self, timeout_s: float) -> list[ChunkResult]:
        """Return the next result."""
        try:
            chunk, future = self._done.get(timeout=timeout_s)
        except queue.Empty:
            return []
        try:
            return [future.result()]
        except Exception as error:
            raise self.chunk_error(chunk, error) from error

    def _compute(self, chunk: Chunk) -> ChunkResult:
        return compute(
            self.job.workload, chunk, self.host, cancellation_point=self._cancellation_point
        )

    def _cancellation_point(self) -> None:
        if self._closing.is_set():
            raise Cancelled(self.job.id)
