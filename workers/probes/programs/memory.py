"""Experiments: the memory of a process, and what each unit of execution takes. Linux only."""

import asyncio
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from multiprocessing.context import ForkContext, SpawnContext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .processes import FORK, SPAWN, in_process
from .rounds import (
    Case,
    Figures,
    ImpossibleError,
    Size,
    measure,
    require_greenlet,
    require_interpreters,
)
from .waiting import wait

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

ROUNDS = 5

THREADS = 1_000

UNITS = 10_000
"""Coroutines or greenlets; fewer can find room in memory that the process has already."""

FORKED = 10
SPAWNED = 3
INTERPRETERS = 3

HEAP_BYTES = 8 * 2**20
OBJECT_BYTES = 512
"""Bytes of each object that a process creates; larger ones may get memory besides the heap."""

NESTED_CALLS = 500

STATUS = "self/status"
"""File with the sizes of the areas of a process, of this one and below /proc."""


def memory_areas(size: Size) -> Figures:
    """Measure the memory areas of a fresh process, and their growth."""
    _kib("VmStk", STATUS)
    return measure(size, lambda: in_process(_areas), lambda: in_process(_growth))


def memory(size: Size) -> Figures:
    """Measure threads, coroutines and processes."""
    size, threads, units = _fewer_rounds(size), size.of(THREADS), size.of(UNITS)
    return measure(
        size,
        _grown("thread_bytes", partial(_growth_by_threads, threads)),
        _grown("coroutine_bytes", lambda: asyncio.run(_growth_by_coroutines(units))),
        lambda: {"fork_process_bytes": _bytes_each_process(FORK, FORKED)},
        lambda: {"spawn_process_bytes": _bytes_each_process(SPAWN, size.of(SPAWNED))},
        warm_up=False,
    )


def memory_greenlets(size: Size) -> Figures:
    """Measure threads and greenlets."""
    package = require_greenlet()
    size, threads, units = _fewer_rounds(size), size.of(THREADS), size.of(UNITS)

    def growth() -> float:
        before = _own_bytes()
        greenlets = [package.greenlet(package.getcurrent().switch) for _ in range(units)]
        for greenlet in greenlets:
            greenlet.switch()  # the greenlet switches back at once, and goes on waiting
        return (_own_bytes() - before) / units

    return measure(
        size,
        _grown("thread_bytes", partial(_growth_by_threads, threads)),
        _grown("greenlet_bytes", growth),
        warm_up=False,
    )


def memory_interpreters(size: Size) -> Figures:
    """Measure sub-interpreters and processes."""
    interpreters = require_interpreters()
    size, number = _fewer_rounds(size), size.of(INTERPRETERS)

    def growth() -> float:
        before = _own_bytes()
        created = [interpreters.create() for _ in range(number)]
        grown_bytes = _own_bytes() - before
        for interpreter in created:
            interpreter.close()
        return grown_bytes / number

    return measure(
        size,
        _grown("interpreter_bytes", growth),
        lambda: {"spawn_process_bytes": _bytes_each_process(SPAWN, size.of(SPAWNED))},
        warm_up=False,
    )


def _fewer_rounds(size: Size) -> Size:
    """Measure less often: the values of two rounds differ by less than 1 %."""
    return replace(size, rounds=min(size.rounds, ROUNDS))


def _areas() -> dict[str, float]:
    code = _kib("VmExe", STATUS) + _kib("VmLib", STATUS)
    return {
        "code_bytes": code * 1024,
        "data_bytes": _kib("VmData", STATUS) * 1024,
        "stack_bytes": _kib("VmStk", STATUS) * 1024,
    }


def _growth() -> dict[str, float]:
    """Return the growth of heap and stack of this process, which objects and calls cause."""
    sys.setrecursionlimit(10 * NESTED_CALLS)
    data, stack = _kib("VmData", STATUS), _kib("VmStk", STATUS)
    objects = [bytes(OBJECT_BYTES) for _ in range(HEAP_BYTES // OBJECT_BYTES)]
    data_after = _kib("VmData", STATUS)
    _call_nested(NESTED_CALLS)
    del objects
    return {
        "heap_growth_bytes": (data_after - data) * 1024,
        "stack_growth_bytes": (_kib("VmStk", STATUS) - stack) * 1024,
    }


def _call_nested(calls: int) -> None:
    """Call this function through one in C, because calls in Python alone need no stack of C."""
    if calls:
        list(map(_call_nested, [calls - 1]))


def _grown(name: str, growth: Callable[[], float]) -> Case:
    """Measure a figure in a fresh process: memory that was used before is not given back."""
    return lambda: {name: in_process(growth)}


def _growth_by_threads(number: int) -> float:
    end = threading.Event()
    before = _own_bytes()
    threads = [threading.Thread(target=end.wait, daemon=True) for _ in range(number)]
    try:
        for thread in threads:
            thread.start()
        return (_own_bytes() - before) / number
    except RuntimeError as error:  # beyond a limit of the system
        raise ImpossibleError(f"{number} threads: {error}") from error
    finally:
        end.set()
        for thread in threads:
            if thread.ident:
                thread.join()


async def _growth_by_coroutines(number: int) -> float:
    async def waits() -> None:
        await end.wait()

    end = asyncio.Event()
    before = _own_bytes()
    tasks = [asyncio.create_task(waits()) for _ in range(number)]
    await asyncio.sleep(0)  # each coroutine begins, and waits
    grown_bytes = _own_bytes() - before
    end.set()
    await asyncio.gather(*tasks)
    return grown_bytes / number


def _bytes_each_process(context: ForkContext | SpawnContext, number: int) -> float:
    """Return the memory that each waiting process adds; shared pages count by their shares."""
    before = _shared_bytes(["self"])
    with ExitStack() as stack:
        connections: list[Connection] = []
        pids: list[Any] = []
        for _ in range(number):
            ours, theirs = context.Pipe()
            process = context.Process(target=wait, args=(theirs,))
            process.start()
            stack.callback(process.join)
            stack.enter_context(ours)
            theirs.close()
            connections.append(ours)
            pids.append(process.pid)
        for connection in connections:
            connection.recv()
        grown_bytes = _shared_bytes(["self", *pids]) - before
        for connection in connections:
            connection.send("end")
    return grown_bytes / number


def _own_bytes() -> int:
    """Bytes of resident memory of this process that are not of a file."""
    return _kib("Anonymous", "self/smaps_rollup") * 1024


def _shared_bytes(pids: Iterable[object]) -> int:
    """Bytes of resident memory of the processes; each page divided by its number of processes."""
    return sum(_kib("Pss", f"{pid}/smaps_rollup") for pid in pids) * 1024


def _kib(field: str, file: str) -> int:
    """Read a field of a file below /proc; raises ``ImpossibleError`` if there is none."""
    try:
        lines = (Path("/proc") / file).read_text().splitlines()
    except OSError as error:
        raise ImpossibleError(f"needs /proc/{file}, which Linux has: {error.strerror}") from error
    for line in lines:
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0])
    raise ImpossibleError(f"needs {field} in /proc/{file}")
