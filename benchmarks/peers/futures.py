"""``concurrent.futures``: ``ProcessPoolExecutor.map`` with a chunksize for long iterables."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from itertools import repeat

from benchmarks.peers.base import SLOTS, ChunkPeer
from benchmarks.work import Bounds, run

BATCHES = 4 * SLOTS
"""Number of batches; ``multiprocessing.Pool`` makes as many by default."""


class Futures(ChunkPeer):
    """One executor of two processes, used for all measurements."""

    def connect(self, opened: ExitStack) -> None:
        """Start the executor; its processes start with the first chunks."""
        self._executor = opened.enter_context(ProcessPoolExecutor(SLOTS))

    def values(self, kernel: str, chunks: Sequence[Bounds]) -> Sequence[int]:
        """The values of the chunks, in order."""
        starts, stops = zip(*chunks, strict=True)
        size = max(1, len(chunks) // BATCHES)
        return list(self._executor.map(run, repeat(kernel), starts, stops, chunksize=size))
