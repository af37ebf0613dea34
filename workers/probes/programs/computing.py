"""Experiments: the same computing in one thread, two threads, two processes or interpreters."""

import resource
import sys
from collections.abc import Callable
from functools import partial

from .processes import time_processes, time_threads
from .rounds import (
    Figures,
    Size,
    measure,
    require_interpreters,
    require_module,
    require_two_cores,
)
from .work import add_up

ADDITIONS = 2_000_000
"""Additions of a sum: about 0.07 s in one thread."""

SHORT_INTERVAL_S = 0.00005
"""Seconds after which a thread is asked to release the GIL; Python's default is 0.005."""

ARRAY_ITEMS = 100_000
ARRAY_REPETITIONS = 80
"""Times that numpy computes the sines of an array: about 0.07 s in one thread."""

SOURCE = """
def add_up(start, stop):
    total = 0
    for number in range(start, stop):
        total += number
"""
"""The work of a sub-interpreter, which shares no functions with this one."""


def compute(size: Size) -> Figures:
    """Measure one thread and two, and count their switches."""
    number = size.of(ADDITIONS)
    halves = (partial(add_up, 0, number // 2), partial(add_up, number // 2, number))

    def two_threads() -> dict[str, float]:
        before = _switches()
        return {
            "two_threads_s": time_threads(*halves)[0],
            "two_threads_switches_count": _switches() - before,
        }

    def short_interval() -> dict[str, float]:
        interval_s = sys.getswitchinterval()
        sys.setswitchinterval(SHORT_INTERVAL_S)
        before = _switches()
        try:
            return {
                "short_interval_s": time_threads(*halves)[0],
                "short_interval_switches_count": _switches() - before,
            }
        finally:
            sys.setswitchinterval(interval_s)

    def one_thread() -> dict[str, float]:
        before = _switches()
        return {
            "one_thread_s": time_threads(partial(add_up, 0, number))[0],
            "one_thread_switches_count": _switches() - before,
        }

    return measure(size, one_thread, two_threads, short_interval)


def cores(size: Size) -> Figures:
    """Measure the cores that one thread, two threads and two processes use."""
    require_two_cores()
    number = size.of(ADDITIONS)
    halves = (partial(add_up, 0, number // 2), partial(add_up, number // 2, number))
    return measure(
        size,
        lambda: _timed("one_thread", time_threads(partial(add_up, 0, number))),
        lambda: _timed("two_threads", time_threads(*halves)),
        lambda: _timed("two_processes", time_processes(*halves)[:2]),
    )


def compute_numpy(size: Size) -> Figures:
    """Measure numpy, which releases the GIL while it computes, in one thread and in two."""
    numpy = require_module("numpy", "needs the package numpy")
    require_two_cores()
    repetitions = size.of(ARRAY_REPETITIONS)

    def sines(repetitions: int) -> None:
        values = numpy.linspace(0.0, 1.0, ARRAY_ITEMS)
        results = numpy.empty_like(values)
        for _ in range(repetitions):
            numpy.sin(values, out=results)

    half = partial(sines, repetitions // 2)
    return measure(
        size,
        lambda: {"one_thread_s": time_threads(partial(sines, repetitions))[0]},
        lambda: _timed("two_threads", time_threads(half, half)),
    )


def compute_interpreters(size: Size) -> Figures:
    """Measure one thread, and two sub-interpreters in two threads."""
    interpreters = require_interpreters()
    require_two_cores()
    number = size.of(ADDITIONS)
    pair = [interpreters.create() for _ in range(2)]
    for interpreter in pair:
        interpreter.exec(SOURCE)

    def half(place: int) -> Callable[[], object]:
        start = place * number // 2
        return partial(pair[place].exec, f"add_up({start}, {start + number // 2})")

    try:
        return measure(
            size,
            lambda: {"one_thread_s": time_threads(partial(add_up, 0, number))[0]},
            lambda: _timed("two_interpreters", time_threads(half(0), half(1))),
        )
    finally:
        for interpreter in pair:
            interpreter.close()


def _timed(name: str, times: tuple[float, float]) -> dict[str, float]:
    elapsed_s, cpu_s = times
    return {f"{name}_s": elapsed_s, f"{name}_cpu_s": cpu_s}


def _switches() -> int:
    """Switches of this process's threads so far, voluntary and forced."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_nvcsw + usage.ru_nivcsw
