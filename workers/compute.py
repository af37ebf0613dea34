"""Drives a workload's steps over one chunk and measures it; the only place that waits.

Every model goes through here, local or Celery, so what they are compared on is the same
code. One generator measures, and two small drivers do the waiting: one sleeps, one awaits.
"""

import asyncio
import heapq
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from types import BuiltinFunctionType

from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.workloads import Workload

CHECKPOINT_S = 0.5
"""A wait longer than this is slept in parts, with a checkpoint between them."""

GIVE_WAY_S = 0.02
"""Other greenlets and coroutines may run at least this often while a chunk computes."""


class Cancelled(Exception):
    """Raised by a checkpoint: the job is not wanted any more."""


def no_checkpoint() -> None:
    """The checkpoint of a chunk that cannot be cancelled."""


def compute(
    workload: Workload,
    chunk: Chunk,
    host: str,
    *,
    sleep: Callable[[float], object] = time.sleep,
    checkpoint: Callable[[], None] = no_checkpoint,
) -> ChunkResult:
    """Compute a chunk, sleeping its waits with ``sleep``.

    ``checkpoint`` is called at every step, and twice a second during a wait; what it raises
    ends the chunk.
    """
    # The kernel takes turns by itself; asked for it, it would let a core fall idle.
    gives_way = not isinstance(sleep, BuiltinFunctionType)
    with _slot_numbers.take() as slot:
        pauses = _pauses(_measured_steps(workload, chunk, host, slot))
        while True:
            checkpoint()
            try:
                pause_s = next(pauses)
            except StopIteration as end:
                result: ChunkResult = end.value
                return result
            if pause_s or gives_way:
                sleep(pause_s)


async def compute_async(workload: Workload, chunk: Chunk, host: str) -> ChunkResult:
    """Compute a chunk as a coroutine; it is cancelled as any coroutine is."""
    with _slot_numbers.take() as slot:
        pauses = _pauses(_measured_steps(workload, chunk, host, slot))
        while True:
            try:
                pause_s = next(pauses)
            except StopIteration as end:
                result: ChunkResult = end.value
                return result
            await asyncio.sleep(pause_s)


def _pauses(
    steps: Generator[float, None, ChunkResult],
) -> Generator[float, None, ChunkResult]:
    """Turn waits into pauses: long ones in parts, and none for nothing all too often."""
    gave_way = time.perf_counter()
    while True:
        try:
            wait_s = next(steps)
        except StopIteration as end:
            result: ChunkResult = end.value
            return result
        while wait_s > CHECKPOINT_S:
            yield CHECKPOINT_S
            wait_s -= CHECKPOINT_S
        if wait_s or time.perf_counter() - gave_way > GIVE_WAY_S:
            yield wait_s
            gave_way = time.perf_counter()


def _measured_steps(
    workload: Workload, chunk: Chunk, host: str, slot: str
) -> Generator[float, None, ChunkResult]:
    """Yield the waits of the chunk, and return its result with what it took.

    The thread's CPU clock is read around each step: no other greenlet or coroutine runs
    within one, so the seconds are this chunk's own.
    """
    steps = workload.steps(chunk.start, chunk.stop)
    began = time.perf_counter()
    cpu_s = waited_s = 0.0
    while True:
        mark = time.thread_time()
        try:
            wait_s = next(steps)
        except StopIteration as end:
            cpu_s += time.thread_time() - mark
            duration_s = time.perf_counter() - began
            return ChunkResult(chunk, end.value, duration_s, cpu_s, waited_s, host, slot)
        cpu_s += time.thread_time() - mark
        waited_s += wait_s
        yield wait_s


class _SlotNumbers:
    """Names the slots of a process ``PID.NUMBER``, each chunk taking the lowest number free.

    A pool may make a new greenlet for every chunk; the number says which place it took.
    """

    def __init__(self) -> None:
        self._free: list[int] = []
        self._made = 0
        self._lock = threading.Lock()

    @contextmanager
    def take(self) -> Iterator[str]:
        with self._lock:
            if self._free:
                number = heapq.heappop(self._free)
            else:
                number, self._made = self._made, self._made + 1
        try:
            yield f"{os.getpid()}.{number}"
        finally:
            with self._lock:
                heapq.heappush(self._free, number)


_slot_numbers = _SlotNumbers()
