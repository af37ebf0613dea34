"""Experiment: threads that change shared data, with and without a lock."""

import threading
from collections.abc import Callable
from functools import partial

from .processes import time_threads
from .rounds import Figures, Size, measure

ADDITIONS = 500_000
"""Additions of each thread."""

LOCKED_ADDITIONS = 150_000
"""Additions of each thread with a lock: two threads need 0.4 microseconds for each."""


NAMES = {1: "one_thread", 2: "two_threads"}
"""Number of threads -> the beginning of a figure's name."""

_LOCK = threading.Lock()


class _Counter:
    """Shared data: a number that threads add to."""

    def __init__(self) -> None:
        self.value = 0


def lost_updates(size: Size) -> Figures:
    """Count the additions that two threads lose, and time them with and without a lock."""
    number, locked = size.of(ADDITIONS), size.of(LOCKED_ADDITIONS)
    return measure(
        size,
        lambda: {"updates_count": 2 * number},
        partial(_add, "plain", 2, number, _add_plain),
        partial(_add, "call", 2, number, _add_with_call),
        partial(_add, "locked", 2, locked, _add_locked),
        partial(_add, "call", 1, number, _add_with_call),
        partial(_add, "locked", 1, locked, _add_locked),
    )


def _add(
    name: str, threads: int, number: int, add: Callable[[_Counter, int], None]
) -> dict[str, float]:
    counter = _Counter()
    elapsed_s, _ = time_threads(*[partial(add, counter, number)] * threads)
    figures = {f"{NAMES[threads]}_{name}_s": elapsed_s / (threads * number)}
    if threads > 1:
        figures[f"{name}_lost_count"] = threads * number - counter.value
    return figures


def _add_plain(counter: _Counter, number: int) -> None:
    for _ in range(number):
        counter.value += 1


def _add_with_call(counter: _Counter, number: int) -> None:
    for _ in range(number):
        counter.value = _add_one(counter.value)


def _add_locked(counter: _Counter, number: int) -> None:
    for _ in range(number):
        with _LOCK:
            counter.value = _add_one(counter.value)


def _add_one(value: int) -> int:
    return value + 1
