"""The protocol of a peer: a tool that sums a range in chunks, on two processes.

A context manager: entering starts and warms whatever the tool needs, leaving ends it. Both
are outside the clock. A new peer is one file beside this one and one entry in the registry.
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

READY_S = 60.0
"""Seconds within which all workers of a peer must have answered; Ray takes 5 on two cores."""


@dataclass(frozen=True)
class Timed:
    """A value, and the seconds it took."""

    value: int
    elapsed_s: float


class Peer(ABC):
    """Sums ``range(stop)``; a subclass is named in the registry."""

    def __init__(self) -> None:
        self._opened = ExitStack()

    @abstractmethod
    def start(self, opened: ExitStack) -> None:
        """Start and warm the tool; what must be ended is left to ``opened``."""

    @abstractmethod
    def timed(self, stop: int, chunks: int | None) -> Timed:
        """The sum in so many chunks, ``None``: as the tool likes it."""

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
    """A peer that is given chunks and returns their values: all but the seed and poolrace."""

    processes = SLOTS
    """How many different processes compute, and must have answered before the clock starts."""
    kernel = "add"

    @abstractmethod
    def connect(self, opened: ExitStack) -> None:
        """Start the tool, without waiting for its workers."""

    @abstractmethod
    def values(self, kernel: str, chunks: Sequence[Bounds]) -> Sequence[int]:
        """The value of each chunk under a kernel of ``benchmarks.work``, in any order."""

    def start(self, opened: ExitStack) -> None:
        """Start it, and have each of its processes compute something."""
        self.connect(opened)
        deadline = time.monotonic() + READY_S
        seen: set[int] = set()
        while len(seen) < self.processes:
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{len(seen)} of {self.processes} processes answered in {READY_S:g} s"
                )
            seen.update(self.values("who", cut(2 * self.processes, 2 * self.processes)))

    def timed(self, stop: int, chunks: int | None) -> Timed:
        """The sum of the partials. A tool without a schedule of its own gets one half a slot."""
        began = time.perf_counter()
        value = sum(self.values(self.kernel, cut(stop, chunks or SLOTS)))
        return Timed(value, time.perf_counter() - began)
