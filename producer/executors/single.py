"""``single``: one thread computes one chunk after the other; the base of every speed-up."""

from collections import deque
from collections.abc import Sequence

from poolrace.producer.executors.base import LocalExecutor
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.compute import compute


class Single(LocalExecutor):
    """Computes in the caller's own thread, while the caller waits."""

    name = "single"

    def start(self) -> None:
        """Nothing is needed."""
        self._queue: deque[Chunk] = deque()

    def close(self) -> None:
        """Nothing runs outside of ``collect``."""

    def submit(self, chunks: Sequence[Chunk]) -> None:
        """Remember the chunks."""
        self._queue.extend(chunks)

    def collect(self, timeout_s: float) -> list[ChunkResult]:  # noqa: ARG002 # it never waits
        """Compute the next chunk, however long it takes."""
        if not self._queue:
            return []
        chunk = self._queue.popleft()
        try:
            return [compute(self.job.workload, chunk, self.host)]
        except Exception as error:
            raise self.failed(chunk, error) from error
