"""joblib: its default backend loky, the pool of workers kept by a ``with`` block."""

from collections.abc import Sequence
from contextlib import ExitStack

import joblib
from joblib.externals.loky import get_reusable_executor

from benchmarks.peers.base import SLOTS, ChunkPeer
from benchmarks.work import Bounds, run


class Joblib(ChunkPeer):
    """``batch_size="auto"``, its default, batches short chunks."""

    def connect(self, opened: ExitStack) -> None:
        """Enter the block; loky keeps its processes beyond it, unless they are ended."""
        opened.callback(lambda: get_reusable_executor().shutdown(wait=True, kill_workers=True))
        self._parallel = opened.enter_context(joblib.Parallel(n_jobs=SLOTS))

    def values(self, kernel: str, chunks: Sequence[Bounds]) -> Sequence[int]:
        """In order."""
        calls = (joblib.delayed(run)(kernel, *chunk) for chunk in chunks)
        return list(self._parallel(calls))
