"""What others, who compute on this machine meanwhile, leave of it."""

import os
import time
from dataclasses import dataclass
from typing import Self

import psutil

from poolrace.workers.usage import usage_of_tree

MACHINE = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Moment:
    """What was computed until a moment, in CPU seconds."""

    at: float
    all_s: float
    """By the whole machine; of a virtual one also what its host gave to others."""
    own_s: float
    """By this process and all that it started."""

    @classmethod
    def now(cls) -> Self:
        """Look; it takes milliseconds."""
        times = psutil.cpu_times()
        idle_s = times.idle + getattr(times, "iowait", 0.0)
        twice_s = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # in user, too
        all_s = sum(times) - idle_s - twice_s
        return cls(time.monotonic(), all_s, usage_of_tree(os.getpid()).cpu_s)

    def cores_left(self, before: Self) -> float:
        """How many of the machine's cores others left to us since then, on average."""
        others_s = (self.all_s - before.all_s) - (self.own_s - before.own_s)
        others = max(0.0, others_s) / max(self.at - before.at, 1e-9)
        return max(0.0, MACHINE - others)
