"""What every peer computes: the seed's loop over a half-open range, and how a range is cut.

Imports nothing but the standard library: it is imported by the workers of every peer.
"""

import os
import time
from collections.abc import Callable, Sequence
from itertools import pairwise

Bounds = tuple[int, int]
"""``[start, stop)``. One of a single index is a no-op: one addition."""

WAIT_S = 0.1
"""Seconds that ``wait`` waits for each index."""


def add(start: int, stop: int) -> int:
    """Add the indices with the seed's loop."""
    total = 0
    for i in range(start, stop):
        total += i
    return total


def wait(start: int, stop: int) -> int:
    """Add the indices, and wait ``WAIT_S`` for each."""
    for _ in range(start, stop):
        time.sleep(WAIT_S)  # the work itself
    return add(start, stop)


def who(_start: int, _stop: int) -> int:
    """Id of the process that computes; holds it long enough that another takes the next."""
    time.sleep(0.05)  # occupies this worker
    return os.getpid()


KERNELS: dict[str, Callable[[int, int], int]] = {"add": add, "wait": wait, "who": who}


def run(kernel: str, start: int, stop: int) -> int:
    """What a peer's task is made of: the kernel's value for a chunk."""
    return KERNELS[kernel](start, stop)


def cut(stop: int, chunks: int) -> Sequence[Bounds]:
    """``range(stop)`` in so many chunks, whose sizes differ by at most one."""
    edges = [stop * number // chunks for number in range(chunks + 1)]
    return list(pairwise(edges))


def expected(stop: int) -> int:
    """The sum of ``range(stop)``, by Gauss."""
    return stop * (stop - 1) // 2
