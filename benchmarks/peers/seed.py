"""The seed text's own two-process program: the limit. It makes two halves, whatever is asked."""

from contextlib import ExitStack

from benchmarks.peers.base import Peer, Timed
from benchmarks.seed import seed_seconds
from benchmarks.work import expected


class Seed(Peer):
    """Starts its processes inside the clock, as the text does."""

    def start(self, opened: ExitStack) -> None:
        """There is nothing to start."""

    def timed(self, stop: int, chunks: int | None) -> Timed:  # noqa: ARG002 # it makes two halves
        """The program checks its sum itself."""
        return Timed(expected(stop), seed_seconds(stop))
