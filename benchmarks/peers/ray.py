"""Ray on this machine: one remote task for each chunk, and one ``ray.get`` for all results."""

import logging
from collections.abc import Sequence
from contextlib import ExitStack

import ray

from benchmarks.peers.base import SLOTS, ChunkPeer
from benchmarks.work import Bounds, run


class Ray(ChunkPeer):
    """Ray with two CPUs and without its dashboard."""

    def connect(self, opened: ExitStack) -> None:
        """Start Ray's processes."""
        opened.callback(ray.shutdown)
        ray.init(
            num_cpus=SLOTS,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
        self._run = ray.remote(run)

    def values(self, kernel: str, chunks: Sequence[Bounds]) -> Sequence[int]:
        """The values of the chunks, in order."""
        return list(ray.get([self._run.remote(kernel, *chunk) for chunk in chunks]))
