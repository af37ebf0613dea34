"""Computes and times a chunk of a workload; only this module sleeps the waits of a workload.

Every model calls this module, local or Celery, so that a comparison runs the same code under
each model. One generator measures the steps of a chunk; two small functions drive it: ``compute``
sleeps, ``compute_async`` awaits. Needs the standard library only.
"""

import asyncio
import heapq
import math
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import BuiltinFunctionType

from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.workloads import Workload

MAX_SLEEP_S = 0.5
"""Seconds of one sleep, at most; a longer wait becomes several sleeps with cancellation points
between them."""

YIELD_S = 0.02
"""Seconds that a chunk may compute before other greenlets and coroutines get a turn."""

UNINTERRUPTED_S = 0.00002
"""Seconds of wall time below which all of it counts as CPU time: another thread that takes the core
or the GIL keeps it longer. Reading the thread's CPU clock takes 0.7 to 3 us (measured), as long as
all the rest of a chunk that does nothing."""

READ_CPU_S = 0.001
"""Seconds after which the thread's CPU clock is read again, however short the chunks are."""

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
) -> ChunkResult:
    """Compute a chunk in a free slot, sleeping its waits with ``sleep``.

    ``cancellation_point`` is called before the first step and after every sleep, so twice a second
    during a wait; an exception that it raises ends the chunk.
    """
    with take_slot() as slot:
        return slot.compute(
            workload, chunk, host, sleep=sleep, cancellation_point=cancellation_point
        )


async def compute_async(workload: Workload, chunk: Chunk, host: str) -> ChunkResult:
    """Compute a chunk as a coroutine; cancelled like any coroutine, by its task."""
    with take_slot() as slot:
        sleeps = slot.measured_sleeps(workload, chunk, host)
        while True:
            try:
                sleep_s = next(sleeps)
            except StopIteration as end:
                result: ChunkResult = end.value
                return result
            await asyncio.sleep(sleep_s)


class Slot:
    """A slot that has a chunk, or the chunks of a batch one after the other, in one thread."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._ended = -math.inf
        """Time at which the last chunk ended."""
        self._cpu_s = 0.0
        """CPU seconds of the thread when the last chunk ended."""
        self._read_at = -math.inf
        """Time at which the CPU clock was read last at the begin or the end of a chunk."""

    def compute(
        self,
        workload: Workload,
        chunk: Chunk,
        host: str,
        *,
        sleep: Callable[[float], object] = time.sleep,
        cancellation_point: CancellationPoint = never_cancelled,
    ) -> ChunkResult:
        """Compute a chunk, as the function ``compute`` does."""
        # A sleep of 0 lets other greenlets run if ``sleep`` is gevent's. The kernel switches
        # threads without it, and time.sleep(0) would only leave a core idle.
        cooperative = not isinstance(sleep, BuiltinFunctionType)
        sleeps = self.measured_sleeps(workload, chunk, host)
        while True:
            cancellation_point()
            try:
                sleep_s = next(sleeps)
            except StopIteration as end:
                result: ChunkResult = end.value
                return result
            if sleep_s or cooperative:
                sleep(sleep_s)

    def measured_sleeps(
        self, workload: Workload, chunk: Chunk, host: str
    ) -> Generator[float, None, ChunkResult]:
        """Yield the sleeps of the chunk, and return its result with the measured times.

        A wait above ``MAX_SLEEP_S`` becomes several sleeps; a wait of 0 becomes a sleep only if
        the chunk computed for ``YIELD_S`` without one. CPU time is that of the thread between the
        sleeps. No other greenlet or coroutine runs there, so it belongs to this chunk alone.
        """
        steps = workload.steps(chunk.start, chunk.stop)
        began = woke = time.perf_counter()
        cpu_s = waited_s = 0.0
        step_began = self._cpu_at_begin(began)
        while True:
            try:
                wait_s = next(steps)
            except StopIteration as end:
                ended = time.perf_counter()
                cpu_s += self._cpu_at_end(woke, ended, step_began) - step_began
                duration_s = ended - began
                # The two clocks are not read at the same moment.
                cpu_s = min(max(cpu_s, 0.0), duration_s)
                return ChunkResult(chunk, end.value, duration_s, cpu_s, waited_s, host, self.name)
            if not wait_s and time.perf_counter() - woke <= YIELD_S:
                continue
            cpu_s += time.thread_time() - step_began
            waited_s += wait_s
            while wait_s > MAX_SLEEP_S:
                yield MAX_SLEEP_S
                wait_s -= MAX_SLEEP_S
            yield wait_s
            woke = time.perf_counter()
            step_began = time.thread_time()

    def _cpu_at_begin(self, began: float) -> float:
        """CPU seconds of the thread when a chunk begins; the last one may have just ended."""
        since_s = began - self._ended
        if since_s < UNINTERRUPTED_S:
            return self._cpu_s + since_s
        self._read_at = began
        return time.thread_time()

    def _cpu_at_end(self, woke: float, ended: float, cpu_at_woke_s: float) -> float:
        """CPU seconds of the thread when a chunk ends that computed since ``woke``."""
        if ended - woke < UNINTERRUPTED_S and ended - self._read_at < READ_CPU_S:
            self._cpu_s = cpu_at_woke_s + (ended - woke)
        else:
            self._cpu_s, self._read_at = time.thread_time(), ended
        self._ended = ended
        return self._cpu_s


def slot_name(pid: int, number: int) -> str:
    """Name of a slot: the process and the number of the slot within the process."""
    return f"{pid}.{number}"


def take_slot(task_id: str = "") -> AbstractContextManager[Slot]:
    """Take a free slot of this process for a chunk, or for the batch of that task."""
    return _slot_numbers.take(task_id)


def taken_slots() -> dict[str, str]:
    """Name of each slot of this process that has a chunk, and the task id of the chunk's batch."""
    return _slot_numbers.taken()


class _SlotNumbers:
    """Names the slots of a process ``PID.NUMBER``; a batch takes the lowest free number.

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
    def take(self, task_id: str) -> Iterator[Slot]:
        """Yield a free slot, which is taken until the context is left."""
        with self._lock:
            if self._free:
                number = heapq.heappop(self._free)
            else:
                number, self._count = self._count, self._count + 1
            self._taken[number] = task_id
        try:
            yield Slot(slot_name(os.getpid(), number))
        finally:
            with self._lock:
                del self._taken[number]
                heapq.heappush(self._free, number)


_slot_numbers = _SlotNumbers()
