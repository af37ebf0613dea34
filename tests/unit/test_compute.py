"""The drivers wait, give way, and stop at a checkpoint."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from poolrace.workers.chunks import Chunk
from poolrace.workers.compute import CHECKPOINT_S, Cancelled, compute, compute_async
from poolrace.workers.workloads import make_workload


def test_a_long_wait_is_slept_in_parts() -> None:
    slept: list[float] = []
    compute(
        make_workload("mixed", {"cpu_s": 0, "wait_s": 1.2}), Chunk(0, 1), "h", sleep=slept.append
    )
    assert slept == pytest.approx([CHECKPOINT_S, CHECKPOINT_S, 0.2])


def test_a_checkpoint_ends_a_chunk_in_the_middle_of_a_wait() -> None:
    def cancel_after(calls: int) -> Callable[[], None]:
        left = iter(range(calls))

        def checkpoint() -> None:
            if next(left, None) is None:
                raise Cancelled

        return checkpoint

    slept: list[float] = []
    with pytest.raises(Cancelled):
        compute(
            make_workload("mixed", {"cpu_s": 0, "wait_s": 3600}),
            Chunk(0, 1),
            "here",
            sleep=slept.append,
            checkpoint=cancel_after(3),
        )
    assert sum(slept) < 3


def test_a_computing_coroutine_gives_way_to_others() -> None:
    async def both() -> list[str]:
        order: list[str] = []

        async def run(name: str, stop: int) -> None:
            await compute_async(make_workload("sum", {}), Chunk(0, stop), "here")
            order.append(name)

        await asyncio.gather(run("long", 20_000_000), run("short", 1000))
        return order

    assert asyncio.run(both()) == ["short", "long"]


def test_slots_are_numbered_by_the_lowest_number_free() -> None:
    meet = threading.Barrier(3)
    slots: list[str] = []

    def wait_for_the_others(_seconds: float) -> None:
        meet.wait(timeout=10)

    def run() -> None:
        workload = make_workload("mixed", {"cpu_s": 0, "wait_s": 0.1})
        slots.append(compute(workload, Chunk(0, 1), "here", sleep=wait_for_the_others).slot)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(slot.partition(".")[2] for slot in slots) == ["0", "1", "2"]
    again = compute(make_workload("sum", {}), Chunk(0, 1), "here").slot
    assert again.endswith(".0")
