"""Measures background load: how many CPU cores other processes left free."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import psutil

from poolrace.workers.usage import cpu_s_of_tree

MACHINE_CORES = os.cpu_count() or 1
"""CPU cores of the machine, whether this process may use them or not."""

MIN_STRETCH_S = 1.0
"""Seconds of laps that are judged together, at least: two laps of the base. A shorter stretch would
take any process that runs for a moment for background load."""


@dataclass(frozen=True, slots=True)
class CpuSnapshot:
    """CPU seconds used on the machine up to one moment."""

    at: float
    """Seconds of the monotonic clock."""
    machine_s: float
    """CPU seconds used on the whole machine, including steal time of a virtual machine."""
    own_s: float
    """CPU seconds of this process and all its descendants."""

    @classmethod
    def now(cls) -> Self:
        """Take a snapshot; it takes milliseconds."""
        times = psutil.cpu_times()
        idle_s = times.idle + getattr(times, "iowait", 0.0)
        # The times of guests are contained in those of users.
        counted_twice_s = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
        machine_s = sum(times) - idle_s - counted_twice_s
        return cls(time.monotonic(), machine_s, cpu_s_of_tree(os.getpid()))

    def others_s(self, before: Self) -> float:
        """CPU seconds that other processes used since the snapshot ``before``."""
        return max(0.0, (self.machine_s - before.machine_s) - (self.own_s - before.own_s))

    def cores_left(self, before: Self) -> float:
        """Mean number of cores that other processes left free since the snapshot ``before``."""
        return _cores_left(self.others_s(before), self.at - before.at)


class BackgroundLoad:
    """The background load during the laps of a race."""

    def __init__(self) -> None:
        self._least: float | None = None
        """Cores left free in the stretch with the highest load, ``None`` before one is over."""
        self._wall_s = 0.0
        self._others_s = 0.0

    @property
    def cores_left(self) -> float:
        """Cores that other processes left free in the stretch with the highest load."""
        return _cores_left(self._others_s, self._wall_s) if self._least is None else self._least

    @contextmanager
    def observed(self) -> Iterator[None]:
        """Observe the load while the block runs; a block that raises an error does not count."""
        before = CpuSnapshot.now()
        yield
        self.add(before, CpuSnapshot.now())

    def add(self, before: CpuSnapshot, after: CpuSnapshot) -> None:
        """Add the time between two snapshots to the present stretch, and end it if it is long."""
        self._wall_s += after.at - before.at
        self._others_s += after.others_s(before)
        if self._wall_s >= MIN_STRETCH_S:
            self._least = min(self.cores_left, _cores_left(self._others_s, self._wall_s))
            self._wall_s = self._others_s = 0.0


def _cores_left(others_s: float, wall_s: float) -> float:
    return max(0.0, MACHINE_CORES - others_s / max(wall_s, 1e-9))
