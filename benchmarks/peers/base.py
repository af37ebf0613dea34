"""The base classes of peers: tools that sum a range in chunks, on two processes.

A peer is a context manager: it starts and warms the tool on entry, and stops it on exit, both
outside the measured time. A new peer is one file in this folder and one entry in the registry.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from benchmarks.work import Bounds, cut

SLOTS = 2
"""Number of chunks at a time, of every peer."""

READY_S = 60.0
"""Seconds within which all workers of a peer must answer; Ray takes 5 on two cores."""


@dataclass(frozen=True)
class Timed:
    """A sum, and the seconds that its computation took."""

    value: int
    elapsed_s: float


class Peer(ABC):
    """Sums ``range(stop)`` with one tool; its subclasses are in the registry."""

    def __init__(self) -> None:
        self._opened = ExitStack()

    @abstractmethod
    def start(self, opened: ExitStack) -> None:
        """Start and warm up the tool; register its clean-up with ``opened``."""

    @abstractmethod
    def timed(self, stop: int, chunks: int | None) -> Timed:
        """The sum, in ``chunks`` chunks; with ``None`` the tool chooses the number."""

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            self.start(opened)
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._opened.close()


class ChunkPeer(Peer):
    """A peer that takes chunks and returns their values: all but the seed and poolrace."""

    processes = SLOTS
    """Number of processes that must answer before the measurement starts."""
    kernel = "add"
    """Name of the function in ``benchmarks.work`` that computes a chunk."""

    @abstractmethod
    def connect(self, opened: ExitStack) -> None:
        """Start the tool, without waiting for its workers."""

    @abstractmethod
    def values(self, kernel: str, chunks: Sequence[Bounds]) -> Sequence[int]:
        """The value of each chunk under a kernel of ``benchmarks.work``, in any order."""

    def start(self, opened: ExitStack) -> None:
        """Start the tool, and wait until each of its processes has computed a chunk."""
        self.connect(opened)
        deadline = time.monotonic() + READY_S
        pids: set[int] = set()
        while len(pids) < self.processes:
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{len(pids)} of {self.processes} processes answered in {READY_S:g} s"
                )
            pids.update(self.values("pid", cut(2 * self.processes, 2 * self.processes)))

    def timed(self, stop: int, chunks: int | None) -> Timed:
        """The sum of the partials; without ``chunks``, one chunk per slot."""
        began = time.perf_counter()
        value = sum(self.values(self.kernel, cut(stop, chunks or SLOTS)))
        return Timed(value, time.perf_counter() - began)
