"""The base class of workloads, and the merge coroutines that workloads share.

A workload is pure: it yields its waits and never sleeps, reads no clock and does no I/O. So
the same code runs under threads, processes, greenlets, coroutines and every Celery pool.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from poolrace.workers.errors import UsageError

Steps = Generator[float, None, int]
"""A generator that yields seconds to wait (0: no wait, but other greenlets and coroutines may run)
and returns the partial."""

Merge = Generator[int, int, None]
"""A generator coroutine that takes partials by ``send`` and yields the value merged so far."""

EMPTY = 0
"""The value of an empty range, for every workload."""


@dataclass(frozen=True)
class Workload(ABC):
    """A computation over an index range. The fields of a subclass are its parameters.

    The constructor raises ``UsageError`` for a parameter that cannot be used.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    """One line that describes the workload, for the documentation."""
    default_range: ClassVar[tuple[int, int]]
    limit: ClassVar[int]
    """Largest end of a range."""

    @property
    def waits(self) -> bool:
        """Whether most of the time is spent waiting, so that more slots than cores help."""
        return False

    @property
    def needs(self) -> str:
        """Name of the package that computing needs beside the standard library; empty if none."""
        return ""

    def default_stop(self) -> int:
        """The default end of the range."""
        return self.default_range[1]

    def check(self, start: int, stop: int) -> None:
        """Raise ``UsageError`` unless ``[start, stop)`` is a range of this workload."""
        if stop < start:
            raise UsageError(
                f"--stop {stop} lies before --start {start}; give a stop of {start} or more"
            )
        if start < 0:
            raise UsageError(f"--start {start} is negative; {self.name} counts from 0")
        if stop > self.limit:
            raise UsageError(
                f"--stop {stop} is beyond the limit of {self.name}; give at most {self.limit}"
            )

    def cost(self, start: int, stop: int) -> float:
        """Relative time that ``[start, stop)`` takes, for estimates; here its number of indices."""
        return stop - start

    @abstractmethod
    def steps(self, start: int, stop: int) -> Steps:
        """Compute the partial of ``[start, stop)``, yielding each wait."""

    def merge(self) -> Merge:
        """A coroutine that merges partials; prime it with ``next`` before the first ``send``."""
        return running_sum()

    @abstractmethod
    def expected(self, start: int, stop: int) -> int:
        """The exact value of a non-empty range, computed by another method than ``steps``."""

    def parameters(self) -> dict[str, Any]:
        """The parameters as JSON values."""
        return asdict(self)


def running_sum() -> Merge:
    """A merge coroutine that yields the sum of the partials sent so far."""
    total = EMPTY
    while True:
        total += yield total


def running_minimum() -> Merge:
    """A merge coroutine that yields the smallest of the partials sent so far."""
    current = yield EMPTY
    while True:
        value = yield current
        current = min(value, current)


def parameter(default: Any, help_text: str, choices: tuple[str, ...] = ()) -> Any:
    """A field of a workload that becomes a command-line option of the same name."""
    return field(default=default, metadata={"help": help_text, "choices": choices})


def require_seconds(name: str, value: object) -> None:
    """Raise ``UsageError`` unless ``value`` is a finite number of seconds, 0 or more."""
    if type(value) not in (int, float) or not 0 <= value < float("inf"):  # type: ignore[operator] # only numbers are compared
        raise UsageError(f"{name} {value!r} is not a number of seconds; give 0 or more")
