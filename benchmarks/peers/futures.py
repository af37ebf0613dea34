"""``concurrent.futures``: ``ProcessPoolExecutor.map`` with a chunksize for long iterables."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from itertools import repeat

from benchmarks.peers.base import SLOTS, ChunkPeer
from benchmarks.work import Bounds, run

BATCHES = 4 * SLOTS
"""As many as ``multiprocessing.Pool`` makes by itself."""


class Futures(ChunkPeer):
    """One executor of two processes, kept."""

    def connect(self, opened: ExitStack) -> None:
        """Start the executor; its processes start with the first chunks."""
        self._executor = opened.enter_context(ProcessPoolExecutor(SLOTS))

    def values(self, kernel: str, chunks: Sequence[Bounds]) -> Sequence[int]:
        """In order."""
        starts, stops = zip(*chunks, strict=True)
        size = max(1, len(chunks) // BATCHES)
        return list(self._executor.map(run, repeat(kernel), starts, stops, chunksize=size))
