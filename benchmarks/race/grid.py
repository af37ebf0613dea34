"""The candidates of an oracle, and the physical limits by which candidates are left out. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Lap

MAX_SLOTS = 512
"""Number of slots of the largest candidates."""

SLOTS_PER_CORE = 4
"""Ratio of slots to cores that a task which only computes can use, at most. A task that computes
for a share of its time can use as many more slots as that share is smaller."""

LONG_LAP_S = 10.0
"""Seconds of CPU-bound work per lap above which a candidate with more slots than the task can use
is not measured at all."""

ITEMS_PER_SLOT = 5
"""Number of items that are in flight for each slot, with Celery's prefetch multiplier of 4. A lap
ends when all of them have ended."""

MAX_PROCESSES = 300
"""Number of processes that are started together, at most, unless one candidate has more."""

FASTER_THAN_ALONE = 1.5
"""Ratio of the duration of an item alone in a worker to its shortest mean duration elsewhere, at
most. Items do not run faster beside others; the factor allows for an unsteady machine."""


@dataclass(frozen=True)
class ItemCost:
    """Cost of one item that runs alone in its worker, and the memory of workers."""

    duration_s: float
    cpu_s: float
    """CPU seconds of the whole worker for each item: the task's own and Celery's."""
    worker_bytes: int
    """Memory of a worker without child processes."""
    child_bytes: int = 0
    """Memory of each further child process of prefork."""

    @property
    def cpu_share(self) -> float:
        """Share of an item's duration in which a core computes."""
        return min(1.0, self.cpu_s / self.duration_s) if self.duration_s else 1.0


def item_cost(alone: Sequence[Lap], forked: Sequence[Lap]) -> ItemCost:
    """The cost of an item, from laps of one slot and laps of a prefork worker.

    The lap with the shortest items counts, because a cold cache makes the first ones longer.
    """
    lap = min((lap for lap in alone if lap.executions), key=_mean_duration_s)
    worker_bytes = max(lap.peak_memory_bytes for lap in alone)
    children = [
        max(0, lap.peak_memory_bytes - worker_bytes) // lap.candidate.slots for lap in forked
    ]
    return ItemCost(
        duration_s=_mean_duration_s(lap),
        cpu_s=max(lap.cpu_s, lap.own_cpu_s) / lap.executions,
        worker_bytes=worker_bytes,
        child_bytes=max(children, default=0),
    )


def grid(pools: Sequence[str], cores: int, max_slots: int = MAX_SLOTS) -> list[Candidate]:
    """Every pool with 1, 2 and ``cores`` workers, and all powers of two up to ``max_slots`` slots.

    ``solo`` has one slot per worker.
    """
    return [
        Candidate(pool, concurrency, workers)
        for pool in pools
        for workers in sorted({1, 2, cores})
        for concurrency in ([1] if pool == "solo" else _powers_of_two(max_slots // workers))
    ]


def usable_slots(cost: ItemCost, cores: int) -> float:
    """Number of slots beyond which more of them add no throughput.

    By the utilisation law, throughput is at most the number of cores divided by the CPU seconds of
    an item. ``SLOTS_PER_CORE`` times as many slots as keep all cores busy reach that.
    """
    return SLOTS_PER_CORE * cores / max(cost.cpu_share, 1e-9)


def in_order(candidates: Sequence[Candidate], cost: ItemCost, cores: int) -> list[Candidate]:
    """Candidates in the order in which they are measured.

    Those whose slots just keep all cores busy come first, because their speed excludes candidates
    with fewer slots. The largest ones come last: starting hundreds of processes takes long.
    """
    enough = min(max(usable_slots(cost, cores) / SLOTS_PER_CORE, cores), MAX_SLOTS)

    def distance(candidate: Candidate) -> tuple[float, int]:
        return abs(math.log2(candidate.slots / enough)), -candidate.slots

    return sorted(candidates, key=distance)


def processes_of(candidate: Candidate) -> int:
    """Number of processes of a candidate's workers."""
    return candidate.workers + (candidate.slots if candidate.pool == "prefork" else 0)


def memory_of(candidate: Candidate, cost: ItemCost) -> int:
    """Memory of a candidate's workers, estimated from the cost."""
    children = candidate.slots if candidate.pool == "prefork" else 0
    return candidate.workers * cost.worker_bytes + children * cost.child_bytes


def reason_to_leave_out(
    candidate: Candidate, cost: ItemCost, *, cores: int, enough: float, max_memory_bytes: int
) -> str | None:
    """The physical reason why a candidate cannot reach ``enough`` items/s, ``None`` without one.

    ``memory``: its workers would not fit. ``Little's law``: its slots are too few, even if each
    item took no longer than alone. ``utilisation law``: it has more slots than the task can use,
    and a lap of it would take longer than ``LONG_LAP_S``.
    """
    if memory_of(candidate, cost) > max_memory_bytes:
        return "memory"
    if FASTER_THAN_ALONE * candidate.slots < enough * cost.duration_s:
        return "Little's law"
    lap_s = ITEMS_PER_SLOT * candidate.slots * cost.cpu_s / cores
    if candidate.slots > usable_slots(cost, cores) and lap_s > LONG_LAP_S:
        return "utilisation law"
    return None


def batches(
    candidates: Sequence[Candidate], cost: ItemCost, *, size: int, max_memory_bytes: int
) -> Iterator[list[Candidate]]:
    """Consecutive candidates whose workers run at the same time.

    ``size`` of them, within the memory and ``MAX_PROCESSES``.
    """
    batch: list[Candidate] = []
    for candidate in candidates:
        longer = [*batch, candidate]
        fits = sum(memory_of(other, cost) for other in longer) <= max_memory_bytes
        few = sum(processes_of(other) for other in longer) <= MAX_PROCESSES
        if batch and not (fits and few and len(longer) <= size):
            yield batch
            batch = []
        batch.append(candidate)
    if batch:
        yield batch


def _mean_duration_s(lap: Lap) -> float:
    return lap.running_total_s / lap.executions


def _powers_of_two(limit: int) -> list[int]:
    return [2**exponent for exponent in range(limit.bit_length()) if 2**exponent <= limit]
