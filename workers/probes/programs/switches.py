"""Experiments: what a switch costs between threads, processes, coroutines and greenlets.

Threads and processes run on one core, so that one can go on only when the other stops.
"""

import asyncio
import os
import resource
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Any

from .processes import forked, time_processes, time_threads
from .rounds import Case, Figures, ImpossibleError, Size, measure, require_greenlet, seconds_each

PASSES = 5_000
"""Times that a byte is passed there and back."""

YIELDS = 10_000
"""Times that each of two threads or processes yields the core to the other."""

COROUTINE_SWITCHES = 10_000
"""Switches of each of two coroutines, generators or greenlets."""


def switch(size: Size) -> Figures:
    """Measure switches of threads, processes, coroutines and generators."""
    passes, yields, number = size.of(PASSES), size.of(YIELDS), size.of(COROUTINE_SWITCHES)
    return measure(
        size,
        lambda: {"passes_count": 2 * passes, "yields_count": 2 * yields},
        _on_one_core(lambda: _pass_between_threads(passes)),
        _on_one_core(lambda: _pass_between_processes(passes)),
        _on_one_core(lambda: {"no_switch_s": _pass_to_self(passes)}),
        _on_one_core(lambda: _yield_between_threads(yields)),
        _on_one_core(lambda: _yield_between_processes(yields)),
        _on_one_core(lambda: {"no_switch_yield_s": seconds_each(os.sched_yield, yields)}),
        _on_one_core(lambda: {"coroutine_s": asyncio.run(_between_coroutines(number))}),
        _on_one_core(lambda: {"generator_s": _between_generators(number)}),
    )


def switch_greenlets(size: Size) -> Figures:
    """Measure switches of threads and greenlets."""
    greenlet = require_greenlet().greenlet
    passes, number = size.of(PASSES), size.of(COROUTINE_SWITCHES)

    def between_greenlets() -> float:
        def switches(other: Callable[[], object]) -> None:
            while True:
                other()

        first: Any = greenlet(lambda: [second.switch() for _ in range(number)])
        second: Any = greenlet(lambda: switches(first.switch))
        began = time.perf_counter()
        first.switch()
        return (time.perf_counter() - began) / (2 * number)

    def between_threads() -> dict[str, float]:
        return {"thread_voluntary_s": _pass_between_threads(passes)["thread_voluntary_s"]}

    return measure(
        size,
        _on_one_core(between_threads),
        _on_one_core(lambda: {"greenlet_s": between_greenlets()}),
    )


def _on_one_core(case: Case) -> Case:
    """Run the case, and the processes that it starts, on the core that this program runs on.

    The core is chosen each time: another program can be busy on it later.
    """
    if not hasattr(os, "sched_setaffinity"):
        raise ImpossibleError("needs os.sched_setaffinity, which this operating system lacks")

    def run() -> dict[str, float]:
        cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {_core()})
        try:
            return case()
        finally:
            os.sched_setaffinity(0, cores)

    return run


def _core() -> int:
    """The core that this program runs on: field 39 of /proc/self/stat, by proc(5)."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    return int(fields[39 - 3])


def _pass_between_threads(passes: int) -> dict[str, float]:
    with _two_pipes() as (to_other, from_other):
        other = Thread(target=_answer, args=(to_other[0], from_other[1], passes), daemon=True)
        other.start()
        before = _switches()
        elapsed_s = _ask(from_other[0], to_other[1], passes)
        other.join()
        voluntary, _ = _switches_since(before)
    return {"thread_voluntary_s": elapsed_s / (2 * passes), "thread_voluntary_count": voluntary}


def _pass_between_processes(passes: int) -> dict[str, float]:
    def other(connection: Connection) -> None:
        before = _switches()
        _answer(to_other[0], from_other[1], passes)
        connection.send(_switches_since(before))

    with _two_pipes() as (to_other, from_other), forked(other) as connection:
        before = _switches()
        elapsed_s = _ask(from_other[0], to_other[1], passes)
        own, _ = _switches_since(before)
        others, _ = connection.recv()
    voluntary = own + others
    return {"process_voluntary_s": elapsed_s / (2 * passes), "process_voluntary_count": voluntary}


@contextmanager
def _two_pipes() -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Open two pipes, each as a pair of file descriptors: to read, and to write."""
    pipes = os.pipe(), os.pipe()
    try:
        yield pipes
    finally:
        for end in (*pipes[0], *pipes[1]):
            os.close(end)


def _ask(read_end: int, write_end: int, passes: int) -> float:
    """Write a byte and read the answer, again and again; returns the seconds.

    A pass before waits until the other thread or process has started.
    """
    os.write(write_end, b"x")
    os.read(read_end, 1)
    began = time.perf_counter()
    for _ in range(passes):
        os.write(write_end, b"x")
        os.read(read_end, 1)
    return time.perf_counter() - began


def _answer(read_end: int, write_end: int, passes: int) -> None:
    for _ in range(1 + passes):
        os.read(read_end, 1)
        os.write(write_end, b"x")


def _pass_to_self(passes: int) -> float:
    """Return the seconds of the calls of one pass, without a switch."""
    with _two_pipes() as ((read_end, write_end), _):
        return _ask(read_end, write_end, passes) / passes


def _yield_between_threads(yields: int) -> dict[str, float]:
    before = _switches()
    elapsed_s, _ = time_threads(*[partial(_yield, yields)] * 2)
    _, forced = _switches_since(before)
    return {"thread_forced_s": elapsed_s / (2 * yields), "thread_forced_count": forced}


def _yield_between_processes(yields: int) -> dict[str, float]:
    def count_forced() -> int:
        before = _switches()
        _yield(yields)
        _, forced = _switches_since(before)
        return forced

    elapsed_s, _, forced = time_processes(*[count_forced] * 2)
    return {"process_forced_s": elapsed_s / (2 * yields), "process_forced_count": sum(forced)}


def _yield(yields: int) -> None:
    for _ in range(yields):
        os.sched_yield()


async def _between_coroutines(number: int) -> float:
    """Return the seconds of a switch between two tasks of a running event loop."""

    async def switches() -> None:
        for _ in range(number):
            await asyncio.sleep(0)

    began = time.perf_counter()
    await asyncio.gather(switches(), switches())
    return (time.perf_counter() - began) / (2 * number)


def _between_generators(number: int) -> float:
    """Return the seconds of a value that is sent to one generator or the other."""

    def receives() -> Generator[None, int, None]:
        while True:
            yield

    first, second = receives(), receives()
    next(first)
    next(second)
    began = time.perf_counter()
    for value in range(number):
        first.send(value)
        second.send(value)
    return (time.perf_counter() - began) / (2 * number)


def _switches() -> tuple[int, int]:
    """Switches of this process so far: voluntary and forced."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_nvcsw, usage.ru_nivcsw


def _switches_since(before: tuple[int, int]) -> tuple[int, int]:
    voluntary, forced = _switches()
    return voluntary - before[0], forced - before[1]
