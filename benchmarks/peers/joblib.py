"""joblib with its default backend loky, and a ``with`` block that keeps the worker processes."""

from collections.abc import Sequence
from contextlib import ExitStack

import joblib
from joblib.externals.loky import get_reusable_executor

from benchmarks.peers.base import SLOTS, ChunkPeer
from benchmarks.work import Bounds, run


class Joblib(ChunkPeer):
    """A joblib pool of two processes; ``batch_size="auto"``, the default, batches short chunks."""

    def connect(self, opened: ExitStack) -> None:
        """Enter the ``with`` block; loky's processes would outlive it, so they are killed."""
        opened.callback(lambda: get_reusable_executor().shutdown(wait=True, kill_workers=True))
        self._parallel = opened.enter_context(joblib.Parallel(n_jobs=SLOTS))

    def values(self, kernel: str, chunks: Sequence[Bounds]) -> Sequence[int]:
        """The values of the chunks, in order."""
        calls = (joblib.delayed(run)(kernel, *chunk) for chunk in chunks)
        return list(self._parallel(calls))
