"""Measures background load: how many CPU cores other processes left free."""

import os
import time
from dataclasses import dataclass
from typing import Self

import psutil

from poolrace.workers.usage import usage_of_tree

MACHINE_CORES = os.cpu_count() or 1
"""CPU cores of the machine, whether this process may use them or not."""


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
        return cls(time.monotonic(), machine_s, usage_of_tree(os.getpid()).cpu_s)

    def cores_left(self, before: Self) -> float:
        """Mean number of cores that other processes left free since the snapshot ``before``."""
        others_s = (self.machine_s - before.machine_s) - (self.own_s - before.own_s)
        others_cores = max(0.0, others_s) / max(self.at - before.at, 1e-9)
        return max(0.0, MACHINE_CORES - others_cores)
