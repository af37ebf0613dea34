"""Computing a chunk: it sleeps its waits, yields to other slots, and stops when it is cancelled."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from poolrace.workers.chunks import Chunk
from poolrace.workers.compute import MAX_SLEEP_S, Cancelled, compute, compute_async
from poolrace.workers.workloads import make_workload

ROOT = Path(__file__).parent.parent.parent


def test_a_long_wait_is_slept_in_parts() -> None:
    slept: list[float] = []
    compute(
        make_workload("mixed", {"cpu_s": 0, "wait_s": 1.2}), Chunk(0, 1), "h", sleep=slept.append
    )
    assert slept == pytest.approx([MAX_SLEEP_S, MAX_SLEEP_S, 0.2])


def test_a_cancellation_point_ends_a_chunk_in_the_middle_of_a_wait() -> None:
    def cancel_after(calls: int) -> Callable[[], None]:
        remaining = iter(range(calls))

        def cancellation_point() -> None:
            if next(remaining, None) is None:
                raise Cancelled

        return cancellation_point

    slept: list[float] = []
    with pytest.raises(Cancelled):
        compute(
            make_workload("mixed", {"cpu_s": 0, "wait_s": 3600}),
            Chunk(0, 1),
            "host",
            sleep=slept.append,
            cancellation_point=cancel_after(3),
        )
    assert sum(slept) < 3


def test_a_computing_coroutine_yields_to_other_coroutines() -> None:
    async def both() -> list[str]:
        order: list[str] = []

        async def run(name: str, stop: int) -> None:
            await compute_async(make_workload("sum", {}), Chunk(0, stop), "host")
            order.append(name)

        await asyncio.gather(run("long", 20_000_000), run("short", 1000))
        return order

    assert asyncio.run(both()) == ["short", "long"]


def test_slots_are_numbered_by_the_lowest_number_free() -> None:
    all_started = threading.Barrier(3)
    slots: list[str] = []

    def wait_for_all(_seconds: float) -> None:
        all_started.wait(timeout=10)

    def run() -> None:
        workload = make_workload("mixed", {"cpu_s": 0, "wait_s": 0.1})
        slots.append(compute(workload, Chunk(0, 1), "host", sleep=wait_for_all).slot)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(slot.partition(".")[2] for slot in slots) == ["0", "1", "2"]
    next_slot = compute(make_workload("sum", {}), Chunk(0, 1), "host").slot
    assert next_slot.endswith(".0")


def test_computing_a_chunk_needs_the_standard_library_only() -> None:
    """In an interpreter without site-packages, of which the checkout is the only path added."""
    program = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from poolrace.workers.chunks import Chunk
from poolrace.workers.compute import compute
from poolrace.workers.workloads import make_workload
sys.stdout.write(str(compute(make_workload("sum", {{}}), Chunk(0, 10), "host").value))
"""
    isolated = subprocess.run(
        [sys.executable, "-S", "-E", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert isolated.stderr == ""
    assert isolated.stdout == "45"
