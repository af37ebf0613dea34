"""A workload with a fault, for the tests; ``register`` adds it to the workloads of this process.

The module is a Celery app, too: ``celery --app tests.faults.faulty`` is a worker that has it.
"""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from poolrace.workers.tasks import app
from poolrace.workers.workloads import WORKLOADS
from poolrace.workers.workloads.base import Steps, Workload, parameter


@dataclass(frozen=True)
class Faulty(Workload):
    """Counts its indices; at index ``at`` the fault happens, at most ``times`` times.

    ``mark`` is a directory in which each occurrence of the fault creates a file.
    """

    name: ClassVar[str] = "faulty"
    title: ClassVar[str] = "fails"
    default_range: ClassVar[tuple[int, int]] = (0, 10)
    limit: ClassVar[int] = 10**9

    fault: str = parameter("", "the fault")
    at: int = parameter(-1, "index of the fault")
    times: int = parameter(10**9, "occurrences at most")
    mark: str = parameter("", "directory with a file per occurrence")
    wait_s: float = parameter(0.01, "seconds to wait per index")

    def steps(self, start: int, stop: int) -> Steps:
        """Return the number of indices."""
        for index in range(start, stop):
            if index == self.at and len(list(Path(self.mark).iterdir())) < self.times:
                Path(self.mark, str(time.monotonic_ns())).touch()
                _raise_or_exit(self.fault)
            yield self.wait_s
        return stop - start

    def expected(self, start: int, stop: int) -> int:
        """The number of indices."""
        return stop - start


def _raise_or_exit(fault: str) -> None:
    match fault:
        case "raise":
            raise ZeroDivisionError("the fault of the test")
        case "exit":
            os._exit(3)
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "hang":
            while True:
                time.sleep(3600)  # the fault is to hang


def register(known: dict[str, Any] = WORKLOADS) -> None:
    """Add the workload to the registry."""
    known[Faulty.name] = Faulty


if os.environ.get("POOLRACE_HOST") == "faulty":
    register()

__all__ = ["Faulty", "app", "register"]
