"""Experiments: what it costs to create a unit of execution that does nothing, and to end it."""

import asyncio
import threading
import time
from multiprocessing.context import ForkContext, SpawnContext

from .processes import FORK, SPAWN
from .rounds import (
    Figures,
    Size,
    measure,
    require_greenlet,
    require_interpreters,
    seconds_each,
)


def create(size: Size) -> Figures:
    """Measure threads, processes and coroutines."""
    return measure(
        size,
        lambda: _threads(size),
        lambda: {"fork_process_s": seconds_each(lambda: _process(FORK), size.of(10))},
        lambda: _spawn_processes(size),
        lambda: {"coroutine_s": asyncio.run(_seconds_each_task(size.of(2_000)))},
    )


def create_greenlets(size: Size) -> Figures:
    """Measure threads and greenlets."""
    greenlet = require_greenlet().greenlet
    return measure(
        size,
        lambda: _threads(size),
        lambda: {"greenlet_s": seconds_each(lambda: greenlet(int).switch(), size.of(2_000))},
    )


def create_interpreters(size: Size) -> Figures:
    """Measure threads, sub-interpreters and processes."""
    interpreters = require_interpreters()

    def interpreter() -> None:
        created = interpreters.create()
        created.exec("")
        created.close()

    return measure(
        size,
        lambda: _threads(size),
        lambda: {"interpreter_s": seconds_each(interpreter, size.of(5))},
        lambda: _spawn_processes(size),
    )


def _threads(size: Size) -> dict[str, float]:
    return {"thread_s": seconds_each(_thread, size.of(200))}


def _thread() -> None:
    thread = threading.Thread(target=int)  # int() does nothing
    thread.start()
    thread.join()


def _spawn_processes(size: Size) -> dict[str, float]:
    return {"spawn_process_s": seconds_each(lambda: _process(SPAWN), size.of(2))}


def _process(context: ForkContext | SpawnContext) -> None:
    # int() does nothing. A function of our own would have the process import its module.
    process = context.Process(target=int)
    process.start()
    process.join()
    process.close()


async def _seconds_each_task(number: int) -> float:
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    for _ in range(number):
        await loop.create_task(_nothing())
    return (time.perf_counter() - began) / number


async def _nothing() -> None:
    pass
