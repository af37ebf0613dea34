"""Computes and times a chunk of a workload; only this module sleeps the waits of a workload.

Every model calls this module, local or Celery, so that a comparison runs the same code under
each model. One generator measures the steps of a chunk; two small functions drive it: ``compute``
sleeps, ``compute_async`` awaits. Needs the standard library only.
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

MAX_SLEEP_S = 0.5
"""Seconds of one sleep, at most; a longer wait becomes several sleeps with cancellation points
between them."""

YIELD_S = 0.02
"""Seconds that a chunk may compute before other greenlets and coroutines get a turn."""

CancellationPoint = Callable[[], None]
"""A function called between the steps of a chunk; ends the chunk by raising an exception."""


class Cancelled(Exception):
    """Raised at a cancellation point: the job of the chunk was cancelled."""


def never_cancelled() -> None:
    """The cancellation point of a chunk that cannot be cancelled."""


def compute(
    workload: Workload,
    chunk: Chunk,
    host: str,
    *,
    sleep: Callable[[float], object] = time.sleep,
    cancellation_point: CancellationPoint = never_cancelled,
    task_id: str = "",
) -> ChunkResult:
    """Compute a chunk, sleeping its waits with ``sleep``; ``task_id`` names its batch.

    ``cancellation_point`` is called before every step, and twice a second during a wait; an
    exception that it raises ends the chunk.
    """
    # A sleep of 0 lets other greenlets run if ``sleep`` is gevent's. The kernel switches threads
    # without it, and time.sleep(0) would only leave a core idle.
    cooperative = not isinstance(sleep, BuiltinFunctionType)
    with _slot_numbers.take(task_id) as slot:
        sleeps = _split_waits(_measured_steps(workload, chunk, host, slot))
        while True:
            cancellation_point()
            try:
                sleep_s = next(sleeps)
            except StopIteration as end:
                result: ChunkResult = end.value
                return result
            if sleep_s or cooperative:
                sleep(sleep_s)


async def compute_async(workload: Workload, chunk: Chunk, host: str) -> ChunkResult:
    """Compute a chunk as a coroutine; cancelled like any coroutine, by its task."""
    with _slot_numbers.take() as slot:
        sleeps = _split_waits(_measured_steps(workload, chunk, host, slot))
        while True:
            try:
                sleep_s = next(sleeps)
            except StopIteration as end:
                result: ChunkResult = end.value
                return result
            await asyncio.sleep(sleep_s)


def _split_waits(
    steps: Generator[float, None, ChunkResult],
) -> Generator[float, None, ChunkResult]:
    """Turn the waits of a chunk into sleeps.

    A wait above ``MAX_SLEEP_S`` becomes several sleeps; a wait of 0 becomes a sleep only if the
    chunk computed for ``YIELD_S`` without one.
    """
    last_sleep = time.perf_counter()
    while True:
        try:
            wait_s = next(steps)
        except StopIteration as end:
            result: ChunkResult = end.value
            return result
        while wait_s > MAX_SLEEP_S:
            yield MAX_SLEEP_S
            wait_s -= MAX_SLEEP_S
        if wait_s or time.perf_counter() - last_sleep > YIELD_S:
            yield wait_s
            last_sleep = time.perf_counter()


def _measured_steps(
    workload: Workload, chunk: Chunk, host: str, slot: str
) -> Generator[float, None, ChunkResult]:
    """Yield the waits of the chunk, and return its result with the measured times.

    The thread's CPU clock is read around each step. No other greenlet or coroutine runs within
    a step, so the CPU seconds belong to this chunk alone.
    """
    steps = workload.steps(chunk.start, chunk.stop)
    began = time.perf_counter()
    cpu_s = waited_s = 0.0
    while True:
        step_began = time.thread_time()
        try:
            wait_s = next(steps)
        except StopIteration as end:
            cpu_s += time.thread_time() - step_began
            duration_s = time.perf_counter() - began
            return ChunkResult(chunk, end.value, duration_s, cpu_s, waited_s, host, slot)
        cpu_s += time.thread_time() - step_began
        waited_s += wait_s
        yield wait_s


def slot_name(pid: int, number: int) -> str:
    """Name of a slot: the process and the number of the slot within the process."""
    return f"{pid}.{number}"


def taken_slots() -> dict[str, str]:
    """Name of each slot of this process that has a chunk, and the task id of the chunk's batch."""
    return _slot_numbers.taken()


class _SlotNumbers:
    """Names the slots of a process ``PID.NUMBER``; each chunk takes the lowest free number.

    A pool may start a new greenlet for every chunk, so the name stands for the place, not for
    the greenlet.
    """

    def __init__(self) -> None:
        self._free: list[int] = []
        self._count = 0
        self._taken: dict[int, str] = {}
        self._lock = threading.Lock()

    def taken(self) -> dict[str, str]:
        """Name of each slot with a chunk, and the task id of the chunk's batch."""
        # No lock: a process that is forked meanwhile would inherit it locked. The copy is one step.
        taken = self._taken.copy()
        return {slot_name(os.getpid(), number): task_id for number, task_id in taken.items()}

    @contextmanager
    def take(self, task_id: str = "") -> Iterator[str]:
        """Yield the name of a free slot, which is taken until the context is left."""
        with self._lock:
            if self._free:
                number = heapq.heappop(self._free)
            else:
                number, self._count = self._count, self._count + 1
            self._taken[number] = task_id
        try:
            yield slot_name(os.getpid(), number)
        finally:
            with self._lock:
                del self._taken[number]
                heapq.heappush(self._free, number)


_slot_numbers = _SlotNumbers()
