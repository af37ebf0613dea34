"""Experiments: threads that take turns, delay each other, or run alone."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise

from .processes import time_threads
from .rounds import Figures, Size, measure
from .work import add_up

STEPS = 40
STEP_ADDITIONS = 40_000
"""Additions of a step: about 1.5 ms."""

ADDITIONS = 2_000_000
"""Additions of a thread that runs alone: about 0.07 s."""

WAITING = 100
"""Threads that wait for an event beside a thread that computes."""

WAKING = 10
"""Threads that wake every millisecond beside a thread that computes."""

BLOCK = 100
"""Additions for each time that a thread takes a lock."""

SLEEP_S = 0.001
SLEEPS = 25

SHORT_INTERVAL_S = 0.0001
"""Seconds after which a thread is asked to release the GIL; Python's default is 0.005."""


def alternation(size: Size) -> Figures:
    """Count how often two tasks take turns, and time until both have begun."""
    additions = size.of(STEP_ADDITIONS)

    def tasks() -> tuple[list[tuple[int, float]], list[Callable[[], None]]]:
        steps: list[tuple[int, float]] = []

        def task(number: int) -> None:
            for _ in range(STEPS):
                add_up(0, additions)
                steps.append((number, time.perf_counter()))

        return steps, [partial(task, 0), partial(task, 1)]

    def one_thread() -> dict[str, float]:
        steps, (first, second) = tasks()

        def both() -> None:
            first()
            second()

        began = time.perf_counter()
        time_threads(both)
        return _turns("one_thread", steps, began)

    def two_threads() -> dict[str, float]:
        steps, both = tasks()
        began = time.perf_counter()
        time_threads(*both)
        return _turns("two_threads", steps, began)

    return measure(size, one_thread, two_threads)


def lone_thread(size: Size) -> Figures:
    """Measure one computing thread in programs with more and fewer other threads."""
    number = size.of(ADDITIONS)
    work = partial(add_up, 0, number)
    lock = threading.Lock()

    def add_up_with_lock() -> None:
        for start in range(0, number, BLOCK):
            with lock:
                add_up(start, start + BLOCK)

    def add_up_in_blocks() -> None:
        for start in range(0, number, BLOCK):
            add_up(start, start + BLOCK)

    def beside(count: int, wait_s: float | None) -> float:
        with _others(count, wait_s):
            return time_threads(work)[0]

    return measure(
        size,
        lambda: {"alone_s": time_threads(work)[0]},
        lambda: {"beside_waiting_s": beside(WAITING, None)},
        lambda: {"beside_waking_s": beside(WAKING, SLEEP_S)},
        lambda: {"without_lock_s": time_threads(add_up_in_blocks)[0]},
        lambda: {"with_lock_s": time_threads(add_up_with_lock)[0]},
    )


def scheduling(size: Size) -> Figures:
    """Measure how late a thread goes on after a sleep, alone and beside a computing thread."""
    sleeps = size.of(SLEEPS)

    def short_interval() -> float:
        interval_s = sys.getswitchinterval()
        sys.setswitchinterval(SHORT_INTERVAL_S)
        try:
            return _delay_beside_computing(sleeps)
        finally:
            sys.setswitchinterval(interval_s)

    return measure(
        size,
        lambda: {"alone_delay_s": _delay(sleeps)},
        lambda: {"beside_computing_delay_s": _delay_beside_computing(sleeps)},
        lambda: {"short_interval_delay_s": short_interval()},
    )


def _turns(name: str, steps: list[tuple[int, float]], began: float) -> dict[str, float]:
    """Return the number of changes between the tasks, and the time until both had begun."""
    numbers = [number for number, _ in steps]
    changes = sum(one != other for one, other in pairwise(numbers))
    both_began = max(steps[numbers.index(number)][1] for number in (0, 1))
    return {f"{name}_changes_count": changes, f"{name}_both_began_s": both_began - began}


@contextmanager
def _others(count: int, wait_s: float | None) -> Iterator[None]:
    """Keep threads that do nothing but wait: to the end, or ``wait_s`` seconds at a time."""
    end = threading.Event()

    def wait() -> None:
        while not end.wait(wait_s):
            pass

    threads = [threading.Thread(target=wait, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        end.set()
        for thread in threads:
            thread.join()


def _delay_beside_computing(sleeps: int) -> float:
    end = threading.Event()

    def computing() -> None:
        while not end.is_set():
            add_up(0, 1_000)

    thread = threading.Thread(target=computing, daemon=True)
    thread.start()
    try:
        return _delay(sleeps)
    finally:
        end.set()
        thread.join()


def _delay(sleeps: int) -> float:
    """Return the mean seconds between the end of a sleep and the next statement."""
    began = time.perf_counter()
    for _ in range(sleeps):
        time.sleep(SLEEP_S)
    return (time.perf_counter() - began) / sleeps - SLEEP_S
