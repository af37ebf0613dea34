"""Experiment: threads that change shared data, with and without a lock."""

import threading
from collections.abc import Callable

from .processes import time_threads
from .rounds import Case, Figures, Size, measure

ADDITIONS = 500_000
"""Additions of each thread."""


NAMES = {1: "one_thread", 2: "two_threads"}
"""Number of threads -> the beginning of a figure's name."""

_LOCK = threading.Lock()


class _Counter:
    """Shared data: a number that threads add to."""

    def __init__(self) -> None:
        self.value = 0


def lost_updates(size: Size) -> Figures:
    """Count the additions that two threads lose, and time them with and without a lock."""
    number = size.of(ADDITIONS)

    def case(name: str, threads: int, add: Callable[[_Counter, int], None]) -> Case:
        def additions() -> dict[str, float]:
            counter = _Counter()
            elapsed_s, _ = time_threads(*[lambda: add(counter, number)] * threads)
            figures = {f"{NAMES[threads]}_{name}_s": elapsed_s / (threads * number)}
            if threads > 1:
                figures[f"{name}_lost_count"] = threads * number - counter.value
            return figures

        return additions

    return measure(
        size,
        lambda: {"updates_count": 2 * number},
        case("plain", 2, _add_plain),
        case("call", 2, _add_with_call),
        case("locked", 2, _add_locked),
        case("call", 1, _add_with_call),
        case("locked", 1, _add_locked),
    )


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
