"""Experiments: coroutines that wait and compute, and a generator that keeps its state."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Generator
from itertools import accumulate
from typing import Any

from .processes import time_threads
from .rounds import Figures, Size, measure
from .work import add_up

TASKS = 10
STEPS = 3

WAIT_S = 0.004
"""Seconds that a step of a task waits."""

STEP_ADDITIONS = 25_000
"""Additions of a step that computes: about 1 ms."""

NUMBERS = [(index * 7_919) % 10_007 - 5_000 for index in range(1_000)]
"""The numbers of a running minimum."""


def overlap(size: Size) -> Figures:
    """Measure tasks one after another, as coroutines together and in threads."""
    additions = size.of(STEP_ADDITIONS)

    async def waits() -> None:
        for _ in range(STEPS):
            await asyncio.sleep(WAIT_S)

    async def computes() -> None:
        for _ in range(STEPS):
            add_up(0, additions)
            await asyncio.sleep(0)  # the place where other coroutines can go on

    def wait() -> None:
        for _ in range(STEPS):
            time.sleep(WAIT_S)

    return measure(
        size,
        lambda: {"one_by_one_waiting_s": asyncio.run(_one_by_one(waits))},
        lambda: {"coroutines_waiting_s": asyncio.run(_together(waits))},
        lambda: {"threads_waiting_s": time_threads(*[wait] * TASKS)[0]},
        lambda: {"one_by_one_computing_s": asyncio.run(_one_by_one(computes))},
        lambda: {"coroutines_computing_s": asyncio.run(_together(computes))},
    )


def generator(size: Size) -> Figures:
    """Measure a running minimum in a generator and in an object with a method."""
    expected = list(accumulate(NUMBERS, min))
    repetitions = size.of(50)

    def with_generator() -> list[int]:
        minimum = running_minimum()
        next(minimum)
        return [minimum.send(number) for number in NUMBERS]

    def with_method() -> list[int]:
        minimum = _RunningMinimum()
        return [minimum.add(number) for number in NUMBERS]

    def right_answers() -> dict[str, float]:
        right = [answer == other for answer, other in zip(with_generator(), expected, strict=True)]
        return {"numbers_count": len(NUMBERS), "right_answers_count": sum(right)}

    return measure(
        size,
        right_answers,
        lambda: {"send_s": _seconds_per_number(with_generator, repetitions)},
        lambda: {"method_s": _seconds_per_number(with_method, repetitions)},
    )


def running_minimum() -> Generator[int, int, None]:
    """Yield the least of the numbers sent so far."""
    current = number = yield 0
    while True:
        current = min(number, current)
        number = yield current


class _RunningMinimum:
    """Keeps the least of the numbers added so far in an attribute."""

    def __init__(self) -> None:
        self._current: int | None = None

    def add(self, number: int) -> int:
        self._current = number if self._current is None else min(number, self._current)
        return self._current


def _seconds_per_number(answers: Callable[[], list[int]], repetitions: int) -> float:
    began = time.perf_counter()
    for _ in range(repetitions):
        answers()
    return (time.perf_counter() - began) / (repetitions * len(NUMBERS))


async def _one_by_one(task: Callable[[], Coroutine[Any, Any, None]]) -> float:
    began = time.perf_counter()
    for _ in range(TASKS):
        await task()
    return time.perf_counter() - began


async def _together(task: Callable[[], Coroutine[Any, Any, None]]) -> float:
    began = time.perf_counter()
    await asyncio.gather(*(task() for _ in range(TASKS)))
    return time.perf_counter() - began
