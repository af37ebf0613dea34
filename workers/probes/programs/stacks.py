"""Experiments: stacks of threads, and what the operating system knows of threads and coroutines."""

import asyncio
import ctypes
import sys
import threading

from .processes import time_threads
from .rounds import Figures, ImpossibleError, Size, measure

THREADS = 10
"""Threads or coroutines that exist at the same time."""

ATTRIBUTES_BYTES = 1024
"""Bytes for a pthread_attr_t, which has 56 or 64 on Linux."""


def stacks(size: Size) -> Figures:
    """Count different stacks of threads, and measure their size."""
    if sys.platform != "linux":
        raise ImpossibleError("needs pthread_getattr_np, which Linux has")
    return measure(size, _different_stacks)


def operating_system(size: Size) -> Figures:
    """Count the threads that the operating system starts for threads and for coroutines."""
    return measure(
        size,
        lambda: {"threads_count": THREADS},
        lambda: {"thread_started_count": len(_threads_of_threads())},
        lambda: {"coroutine_started_count": len(asyncio.run(_threads_of_coroutines()))},
    )


def _different_stacks() -> dict[str, float]:
    depths: list[int] = []
    memory: list[tuple[int, int]] = []
    together = threading.Barrier(THREADS)

    def call(calls: int) -> None:
        if calls:
            call(calls - 1)
        else:
            memory.append(_stack())
            together.wait()  # all threads are in their calls at the same time
            depths.append(_depth())
            together.wait()

    time_threads(*[lambda calls=calls: call(calls) for calls in range(THREADS)])
    return {
        "threads_count": THREADS,
        "stacks_count": len({address for address, _ in memory}),
        "depths_count": len(set(depths)),
        "stack_size_bytes": memory[0][1],
    }


def _depth() -> int:
    """Number of calls that this thread is in."""
    depth, frame = 0, sys._getframe()  # the stack of one thread
    while frame.f_back:
        depth, frame = depth + 1, frame.f_back
    return depth


def _stack() -> tuple[int, int]:
    """Address and size of the stack of this thread (pthread_getattr_np(3))."""
    library = ctypes.CDLL(None, use_errno=True)
    library.pthread_self.restype = ctypes.c_void_p
    attributes = ctypes.create_string_buffer(ATTRIBUTES_BYTES)
    address, size = ctypes.c_void_p(), ctypes.c_size_t()
    thread = ctypes.c_void_p(library.pthread_self())
    if library.pthread_getattr_np(thread, attributes):
        raise ImpossibleError("needs pthread_getattr_np")
    library.pthread_attr_getstack(attributes, ctypes.byref(address), ctypes.byref(size))
    library.pthread_attr_destroy(attributes)
    return address.value or 0, size.value


def _threads_of_threads() -> set[int]:
    """Run threads; returns the operating system's ids of them, without the main thread's."""
    ids: list[int] = []
    together = threading.Barrier(THREADS)

    def run() -> None:
        ids.append(threading.get_native_id())
        together.wait()  # an id can come back when its thread has ended

    time_threads(*[run] * THREADS)
    return set(ids) - {threading.get_native_id()}


async def _threads_of_coroutines() -> set[int]:
    """Run coroutines; returns the operating system's ids of their threads, as above."""
    ids: list[int] = []

    async def run() -> None:
        ids.append(threading.get_native_id())
        await asyncio.sleep(0)

    await asyncio.gather(*(run() for _ in range(THREADS)))
    return set(ids) - {threading.get_native_id()}
