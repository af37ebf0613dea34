"""The seed's program: two ``multiprocessing.Process``, half of the range each; the reference."""

from contextlib import ExitStack

from benchmarks.peers.base import Peer, Timed
from benchmarks.seed import seed_seconds
from benchmarks.work import expected


class Seed(Peer):
    """Runs the program; its time includes starting the processes, as in the text."""

    def start(self, opened: ExitStack) -> None:
        """Start nothing: the program starts its own processes."""

    def timed(self, stop: int, chunks: int | None) -> Timed:  # noqa: ARG002 # always two halves
        """The sum of two halves, which the program checks itself."""
        return Timed(expected(stop), seed_seconds(stop))
