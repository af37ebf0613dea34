"""Workloads with a fault, for the tests; ``register`` makes them known to this process.

As a Celery app, ``celery --app tests.faults.faulty``, it is a worker that knows them.
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
    """Counts its indices; at index ``at`` something happens, as often as ``mark`` has no file.

    ``mark`` is a directory in which each occurrence leaves a file.
    """

    name: ClassVar[str] = "faulty"
    title: ClassVar[str] = "fails"
    default_range: ClassVar[tuple[int, int]] = (0, 10)
    limit: ClassVar[int] = 10**9

    fault: str = parameter("", "what happens")
    at: int = parameter(-1, "where")
    times: int = parameter(10**9, "how often at most")
    mark: str = parameter("", "where occurrences are noted")
    wait_s: float = parameter(0.01, "seconds to wait per index")

    def steps(self, start: int, stop: int) -> Steps:
        """Return the number of indices."""
        for index in range(start, stop):
            if index == self.at and len(list(Path(self.mark).iterdir())) < self.times:
                Path(self.mark, str(time.monotonic_ns())).touch()
                _happen(self.fault)
            yield self.wait_s
        return stop - start

    def expected(self, start: int, stop: int) -> int:
        """The number of indices."""
        return stop - start


def _happen(fault: str) -> None:
    match fault:
        case "raise":
            raise ZeroDivisionError("as it was told to")
        case "exit":
            os._exit(3)
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "hang":
            while True:
                time.sleep(3600)  # to hang is the fault


def register(known: dict[str, Any] = WORKLOADS) -> None:
    """Make the workload known."""
    known[Faulty.name] = Faulty


if os.environ.get("POOLRACE_HOST") == "faulty":
    register()

__all__ = ["Faulty", "app", "register"]
