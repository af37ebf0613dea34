"""Cores that the slots of a simulated host share, as the threads or greenlets of a process do."""

import heapq
from collections.abc import Callable
from typing import Any

Schedule = Callable[..., None]
"""A function that runs a function with arguments at a second of the virtual clock."""


class SharedCores:
    """Cores that run the pieces of work of all slots of a host at once, in virtual time.

    A piece computes and waits in turn, many times. If all pieces together would compute more than
    the cores can, each takes longer by the same factor. An event costs some microseconds: the
    pieces are ordered by the progress at which they end, which no later piece changes.
    """

    def __init__(self, cores: int, at: Schedule) -> None:
        self._cores, self._at = cores, at
        self._pieces: list[tuple[float, int, float, Callable[..., None], tuple[Any, ...]]] = []
        """A heap of the running pieces: the progress at which each ends, a number, the cores that
        it uses on average, and the function to call."""
        self._numbers = self._version = 0
        self._demand = 0.0
        """Cores that all running pieces together would use."""
        self._progress = self._updated_s = 0.0
        """Seconds that a piece would have taken alone that has run since the start."""

    def run(
        self,
        now: float,
        computing_s: float,
        waiting_s: float,
        done: Callable[..., None],
        *arguments: object,
    ) -> None:
        """Run a piece of work from ``now`` on, and call ``done`` when it ends."""
        alone_s = computing_s + waiting_s
        if not alone_s:
            self._at(now, done, *arguments)
            return
        self._update(now)
        self._numbers += 1
        cores = computing_s / alone_s
        self._demand += cores
        piece = (self._progress + alone_s, self._numbers, cores, done, arguments)
        heapq.heappush(self._pieces, piece)
        self._schedule_end()

    def _pace(self) -> float:
        """Seconds of progress per second."""
        return min(1.0, self._cores / self._demand) if self._demand > 0 else 1.0

    def _update(self, now: float) -> None:
        self._progress += (now - self._updated_s) * self._pace()
        self._updated_s = now

    def _schedule_end(self) -> None:
        self._version += 1
        left_s = max(self._pieces[0][0] - self._progress, 0.0)
        self._at(self._updated_s + left_s / self._pace(), self._end, self._version)

    def _end(self, version: int) -> None:
        if version != self._version:
            return  # a piece has begun or ended since: the end was scheduled again
        ended, _, cores, done, arguments = heapq.heappop(self._pieces)
        self._updated_s += max(ended - self._progress, 0.0) / self._pace()
        self._progress = ended
        self._demand = self._demand - cores if self._pieces else 0.0
        if self._pieces:
            self._schedule_end()
        done(*arguments)
