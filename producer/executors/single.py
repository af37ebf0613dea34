"""``single``: one thread computes one chunk after another; the baseline of every speed-up."""

from collections import deque
from collections.abc import Sequence

from poolrace.producer.executors.base import LocalExecutor
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.compute import compute


class Single(LocalExecutor):
    """Computes each chunk in the caller's own thread, during ``collect``."""

    name = "single"

    def start(self) -> None:
        """Create the queue of chunks."""
        self._queue: deque[Chunk] = deque()

    def close(self) -> None:
        """Do nothing: no chunk runs outside of ``collect``."""

    def submit(self, chunks: Sequence[Chunk]) -> None:
        """Queue the chunks."""
        self._queue.extend(chunks)

    def collect(self, timeout_s: float) -> list[ChunkResult]:  # noqa: ARG002 # it never waits
        """Compute the next chunk, however long it takes."""
        if not self._queue:
            return []
        chunk = self._queue.popleft()
        try:
            return [compute(self.job.workload, chunk, self.host)]
        except Exception as error:
            raise self.chunk_error(chunk, error) from error
