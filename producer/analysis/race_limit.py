"""Finds the resource that limits a race: CPU, GIL, waiting, messages, memory. Pure."""

from collections.abc import Sequence
from math import fsum
from typing import Literal

from poolrace.producer.analysis.race_summary import CandidateSummary, is_busy
from poolrace.producer.results.race import Race

Limit = Literal["cpu", "gil", "waiting", "broker", "memory", "blocking", "failures"]
"""Resource or property that limits the throughput."""

MAX_FAILED_SHARE = 0.1
"""Share of failed items above which failures are reported as the limit."""

WAITING_TASK = 0.5
"""Waiting share of the running time above which a task counts as I/O-bound."""

MIN_OVERLAP = 1.5
"""Mean number of greenlets that run at a time, below which they are reported as blocked."""


def find_limit(
    race: Race,
    best: Sequence[CandidateSummary],
    blocking: Sequence[CandidateSummary],
    waiting_share: float,
) -> Limit:
    """The resource that limits the throughput; ``best`` is the fastest and those tied with it."""
    fastest = best[0]
    if fastest.failed_share > MAX_FAILED_SHARE:
        return "failures"
    running_s = fsum(lap.running_total_s for lap in race.base)
    if running_s < 0.5 * fsum(lap.wall_s for lap in race.base):
        return "broker"  # even one slot spends its time on messages
    if blocking:
        return "blocking"
    if race.ended.get(fastest.candidate.pool) == "memory":
        return "memory"
    computing = fsum(lap.cpu_s for lap in race.base) / max(running_s, 1e-9)
    if waiting_share > WAITING_TASK and computing < 1 - WAITING_TASK:
        return "waiting"
    return "gil" if _held_back_by_gil(race, best) else "cpu"


def _held_back_by_gil(race: Race, best: Sequence[CandidateSummary]) -> bool:
    """Whether the best candidates have one GIL and leave other cores idle.

    Where processes are as fast, the GIL does not limit.
    """
    fastest = best[0]
    one_interpreter = all(
        summary.candidate.pool != "prefork" and summary.candidate.workers == 1 for summary in best
    )
    idle_cores = race.cores > 1 and fastest.cores_used < 1.25
    return one_interpreter and idle_cores and race.gil and fastest.candidate.pool != "solo"


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
        and (
            summary.overlap < MIN_OVERLAP
            or (quiet and summary.cores_used < 0.7 and _lead_of_threads(summaries, summary) > 2)
        )
    ]


def _lead_of_threads(summaries: Sequence[CandidateSummary], greenlets: CandidateSummary) -> float:
    """Ratio of the speed of threads, with no more slots, to that of greenlets."""
    speeds = [
        summary.items_per_s
        for summary in summaries
        if summary.candidate.pool == "threads"
        and summary.candidate.slots <= greenlets.candidate.slots
    ]
    return max(speeds, default=0.0) / max(greenlets.items_per_s, 1e-9)
