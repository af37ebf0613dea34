"""``mixed``: adds indices, computing and waiting in any proportion, to compare models."""

import time
from dataclasses import dataclass
from typing import ClassVar

from poolrace.workers.workloads.base import Steps, Workload, parameter, require_seconds


@dataclass(frozen=True)
class Mixed(Workload):
    """Adds the indices; each index computes in pure Python for a time, then waits."""

    name: ClassVar[str] = "mixed"
    title: ClassVar[str] = "each index computes --cpu-s and waits --wait-s"
    default_range: ClassVar[tuple[int, int]] = (0, 200)
    limit: ClassVar[int] = 10**9

    cpu_s: float = parameter(0.001, "CPU seconds that mixed computes per index")
    wait_s: float = parameter(
        0.01, "Seconds to wait: per multiplication (factorial) or per index (mixed)"
    )

    def __post_init__(self) -> None:
        require_seconds("--cpu-s", self.cpu_s)
        require_seconds("--wait-s", self.wait_s)

    @property
    def waits(self) -> bool:
        """Whether waiting takes longer than computing."""
        return self.wait_s > self.cpu_s

    def steps(self, start: int, stop: int) -> Steps:
        """Return the sum of ``[start, stop)``; each index computes, then waits."""
        total = 0
        for i in range(start, stop):
            if self.cpu_s:
                _compute(self.cpu_s)
            yield self.wait_s
            total += i
        return total

    def expected(self, start: int, stop: int) -> int:
        """The sum of the range by the closed form of Gauss."""
        return (start + stop - 1) * (stop - start) // 2


def _compute(cpu_s: float) -> None:
    """Compute in pure Python, holding the GIL, until this thread has used ``cpu_s`` of CPU time.

    A thread's CPU clock stops while the thread waits for the GIL or for a core, so the work is
    the same under every model.
    """
    end = time.thread_time() + cpu_s
    while time.thread_time() < end:
        sum(range(50))
