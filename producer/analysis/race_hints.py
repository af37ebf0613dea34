"""Finds properties of the task, its service and its settings that a race's figures show. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from poolrace.producer.analysis.item_cost import BLOCKED_OVERLAP
from poolrace.producer.analysis.race_summary import CandidateSummary, is_busy, laps_of
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Race

MIN_GROWTH = 1.25
"""Ratio of the memory in a candidate's last lap to that in its first one, from which memory counts
as growing."""

MIN_GROWTH_BYTES = 16 * 2**20
"""Growth of a candidate's memory in bytes, from which memory counts as growing."""

STEADY_GROWTH = 0.5
"""Share of the mean growth per item that the last lap must show. Memory that workers fill once
grows less and less."""

LEVEL_GAIN = 1.15
"""Ratio of speeds below which twice the slots count as no gain."""

IDLE_SHARE = 0.7
"""Share of the usable cores below which a candidate's workers count as waiting."""

LONGER = 1.5
"""Ratio of running times from which items count as waiting longer."""

OWN_CORES = 1.3
"""Cores that one item uses, from which the task counts as one with threads of its own."""

WAITING_TASK = 0.5
"""Waiting share of the running time above which a task counts as I/O-bound."""

MOST = 0.5
"""Share of failed items above which a pool counts as one in which the task does not work."""

LONG_ITEM_S = 0.02
"""Seconds of an item from which the CPU time of its message does not matter."""


@dataclass(frozen=True)
class Saturation:
    """A service that answers no faster to more items at a time."""

    slots: int
    """Number of slots beyond which throughput did not grow."""
    items_per_s: float


def find_blocking(
    race: Race, summaries: Sequence[CandidateSummary], waiting_share: float
) -> list[CandidateSummary]:
    """Candidates of the gevent pool whose items wait but do not overlap.

    A part of the item may overlap while another part blocks. Then threads are much faster than
    greenlets, although the greenlets do not use up their core. On a busy machine that rule does
    not apply: the greenlets may not have had a core to use up.
    """
    if waiting_share < WAITING_TASK:
        return []
    quiet = not is_busy(race)
    return [
        summary
        for summary in summaries
        if summary.candidate.pool == "gevent"
        and summary.candidate.slots >= 4
        and summary.failed_share <= MOST  # items that fail at once do not overlap either
        and (
            summary.overlap < BLOCKED_OVERLAP * summary.candidate.workers
            or (quiet and summary.cores_used < 0.7 and _lead_of_threads(summaries, summary) > 2)
        )
    ]


def find_starved(race: Race, summaries: Sequence[CandidateSummary]) -> list[CandidateSummary]:
    """Candidates of the gevent pool with late acknowledgement and a prefetch multiplier of 1.

    With these, Celery's gevent pool takes a batch of messages only every few seconds.
    """
    if not race.settings.acks_late:
        return []
    return [
        summary
        for summary in summaries
        if summary.candidate.pool == "gevent"
        and (summary.candidate.prefetch or race.settings.prefetch) == 1
    ]


def find_growing(race: Race) -> dict[Candidate, float]:
    """Candidates whose memory grew from lap to lap, and by how many bytes per item."""
    growth = {candidate: _growth(race, candidate) for candidate in race.candidates}
    return {candidate: per_item for candidate, per_item in growth.items() if per_item}


def find_saturation(
    race: Race, summaries: Sequence[CandidateSummary], blocked: Sequence[CandidateSummary]
) -> Saturation | None:
    """The slots from which on items only waited longer, although cores were idle."""
    fastest = max(summary.items_per_s for summary in summaries)
    usable = [summary for summary in summaries if summary not in blocked]
    level = [
        few
        for few in usable
        for many in usable
        if few.candidate.pool == many.candidate.pool
        and 2 * few.candidate.slots <= many.candidate.slots
        and max(many.items_per_s, fastest) < LEVEL_GAIN * few.items_per_s
        # The mean running times, by Little's law: a service that is not fair answers half of the
        # items at once, and their median would hide the others.
        and many.overlap * few.items_per_s > LONGER * few.overlap * many.items_per_s
        and many.cores_used < IDLE_SHARE * _cores(race, many)
    ]
    if not level:
        return None
    return Saturation(
        min(summary.candidate.slots for summary in level),
        max(summary.items_per_s for summary in level),
    )


def own_cores(race: Race) -> float | None:
    """Mean number of cores that one item uses, if it is clearly more than one."""
    running_s = sum(lap.running_total_s for lap in race.base)
    executions = sum(lap.executions for lap in race.base)
    if running_s < LONG_ITEM_S * max(executions, 1):
        return None
    cores = sum(lap.cpu_s for lap in race.base) / running_s
    return cores if cores > OWN_CORES else None


def _lead_of_threads(summaries: Sequence[CandidateSummary], greenlets: CandidateSummary) -> float:
    """Ratio of the speed of threads, with no more slots, to that of greenlets."""
    speeds = [
        summary.items_per_s
        for summary in summaries
        if summary.candidate.pool == "threads"
        and summary.candidate.slots <= greenlets.candidate.slots
    ]
    return max(speeds, default=0.0) / max(greenlets.items_per_s, 1e-9)


def _growth(race: Race, candidate: Candidate) -> float:
    """Bytes by which the memory of a candidate grew per item, 0 if it did not keep growing."""
    laps = [lap for lap in laps_of(race, candidate) if not lap.lost]
    if len(laps) < 3:
        return 0.0
    first, last = laps[0].peak_memory_bytes, laps[-1].peak_memory_bytes
    executions = sum(lap.executions for lap in laps[1:])
    if last < MIN_GROWTH * first or last - first < MIN_GROWTH_BYTES or not executions:
        return 0.0
    steps = [after.peak_memory_bytes - before.peak_memory_bytes for before, after in pairwise(laps)]
    per_item = (last - first) / executions
    steady = steps[-1] >= STEADY_GROWTH * per_item * laps[-1].executions
    return per_item if steady and min(steps) > 0 else 0.0


def _cores(race: Race, summary: CandidateSummary) -> int:
    """Cores that the workers of a candidate can use at a time."""
    candidate = summary.candidate
    processes = candidate.slots if candidate.pool == "prefork" else candidate.workers
    return min(race.cores, processes)
