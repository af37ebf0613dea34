"""The work of all peers: a loop that adds the indices of a range, and the cut into chunks.

Imports the standard library only, because the workers of every peer import this module.
"""

import os
import time
from collections.abc import Callable, Sequence
from itertools import pairwise

Bounds = tuple[int, int]
"""A half-open range ``[start, stop)``. A range of one index is a no-op chunk: one addition."""

WAIT_S = 0.1
"""Seconds that ``wait`` waits for each index."""


def add(start: int, stop: int) -> int:
    """Add the indices of a range, with the loop of the seed's program."""
    total = 0
    for i in range(start, stop):
        total += i
    return total


def wait(start: int, stop: int) -> int:
    """Add the indices of a range, and wait ``WAIT_S`` for each index."""
    for _ in range(start, stop):
        time.sleep(WAIT_S)
    return add(start, stop)


def pid(_start: int, _stop: int) -> int:
    """The id of the process; sleeps, so that another process takes the next chunk."""
    time.sleep(0.05)
    return os.getpid()


KERNELS: dict[str, Callable[[int, int], int]] = {"add": add, "wait": wait, "pid": pid}


def run(kernel: str, start: int, stop: int) -> int:
    """The value of a chunk under the kernel of that name; the task of every peer."""
    return KERNELS[kernel](start, stop)


def cut(stop: int, chunks: int) -> Sequence[Bounds]:
    """``range(stop)`` cut into ``chunks`` chunks, whose sizes differ by at most one."""
    edges = [stop * number // chunks for number in range(chunks + 1)]
    return list(pairwise(edges))


def expected(stop: int) -> int:
    """The sum of ``range(stop)``, by the closed form of Gauss."""
    return stop * (stop - 1) // 2
