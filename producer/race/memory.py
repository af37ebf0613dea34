"""Predicts the memory of a candidate from the laps of the base and of its pool. Pure."""

from collections.abc import Sequence

from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Lap

CHILD_MEMORY = 0.4
"""Share of a solo worker's memory that each prefork child takes, at least; the rest is shared."""


def expected_memory(candidate: Candidate, base_bytes: int, laps: Sequence[Lap]) -> float:
    """Bytes of a candidate's workers; ``laps`` are those of its pool.

    The memory of prefork grows with its processes, that of the other pools with their workers.
    """
    per_worker = [(lap.candidate, lap.peak_memory_bytes / lap.candidate.workers) for lap in laps]
    if candidate.pool != "prefork":
        worker = max((memory for _, memory in per_worker), default=base_bytes)
        return candidate.workers * worker
    children = [
        (memory - base_bytes) / measured.concurrency
        for measured, memory in per_worker
        if measured.concurrency > 1
    ]
    child = max(children, default=CHILD_MEMORY * base_bytes)
    return candidate.workers * (base_bytes + max(child, 0.0) * candidate.concurrency)
