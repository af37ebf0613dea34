"""Second: a workload defines a computation, independent of the execution model.

Its method ``steps`` is a generator: it yields each wait in seconds and returns the value of the
chunk, the *partial*. A workload never sleeps itself, so the same code runs in a thread, a process,
a greenlet or a coroutine.
"""

import pytest

from poolrace.workers.chunks import Chunk
from poolrace.workers.compute import compute
from poolrace.workers.workloads import make_workload
from poolrace.workers.workloads.base import running_minimum


def test_a_workload_yields_its_waits_and_returns_its_partial() -> None:
    steps = make_workload("factorial", {"wait_s": 1.0}).steps(4, 5)
    # One second before each of the three products of 4! = 2 * 3 * 4.
    assert [next(steps), next(steps), next(steps)] == [1.0, 1.0, 1.0]
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == 24


def test_the_driver_waits_for_the_workload() -> None:
    slept: list[float] = []
    factorial = make_workload("factorial", {"wait_s": 0.25})
    result = compute(factorial, Chunk(2, 5), "here", sleep=slept.append)
    assert result.value == 2 + 6 + 24
    assert slept == [0.25] * 6
    assert result.waited_s == 1.5


def test_partials_are_merged_by_a_generator_coroutine() -> None:
    """The running minimum receives each value, and yields the smallest value so far."""
    merge = running_minimum()
    next(merge)
    assert [merge.send(value) for value in (10, 4, 22, -6)] == [10, 4, 4, -6]
