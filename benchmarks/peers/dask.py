"""Dask distributed on this machine: ``Client.map`` and ``gather`` on a ``LocalCluster``."""

from collections.abc import Sequence
from contextlib import ExitStack
from itertools import repeat

from distributed import Client, LocalCluster

from benchmarks.peers.base import SLOTS, ChunkPeer
from benchmarks.work import Bounds, run


class Dask(ChunkPeer):
    """A Dask cluster of two worker processes with one thread each, without its dashboard."""

    def connect(self, opened: ExitStack) -> None:
        """Start the scheduler and the workers."""
        cluster = LocalCluster(
            n_workers=SLOTS, threads_per_worker=1, processes=True, dashboard_address=None
        )
        opened.enter_context(cluster)
        self._client = opened.enter_context(Client(cluster))
        self._client.wait_for_workers(SLOTS)

    def values(self, kernel: str, chunks: Sequence[Bounds]) -> Sequence[int]:
        """The values of the chunks, in order; ``pure=False`` prevents cached results."""
        starts, stops = zip(*chunks, strict=True)
        futures = self._client.map(
            run, list(repeat(kernel, len(chunks))), starts, stops, pure=False
        )
        return list(self._client.gather(futures))
