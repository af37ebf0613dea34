"""``multiprocessing.Pool``: ``starmap`` with its own chunksize, which batches short chunks."""

import multiprocessing
from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.peers.base import SLOTS, ChunkPeer
from benchmarks.work import Bounds, run


class MpPool(ChunkPeer):
    """One pool of two processes, used for all measurements."""

    def connect(self, opened: ExitStack) -> None:
        """Start the pool."""
        self._pool = opened.enter_context(multiprocessing.Pool(SLOTS))

    def values(self, kernel: str, chunks: Sequence[Bounds]) -> Sequence[int]:
        """The values of the chunks, in order."""
        return self._pool.starmap(run, [(kernel, *chunk) for chunk in chunks])
