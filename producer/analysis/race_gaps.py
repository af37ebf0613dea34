"""Finds what a race did not compare: the gaps that make its verdict incomplete. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from poolrace.producer.analysis.race_model import potential
from poolrace.producer.analysis.race_summary import CandidateSummary, final_speeds
from poolrace.producer.analysis.significance import MARGIN, MIN_ROUNDS
from poolrace.producer.results.race import Race, Reason

EARLY_ENDS: set[Reason] = {"time", "executions", "interrupted"}
"""Reasons that end a race before all of its measurements are made."""

ENDED: dict[Reason, str] = {
    "gain": "more slots raised throughput too little",
    "top": "more slots could not be kept busy",
    "blocked": "its greenlets stand still while one of them waits",
    "slower": "it cannot become as fast as the fastest pool",
    "memory": "more slots would exceed the memory limit",
    "time": "the time budget was used up",
    "executions": "the number of executions was used up",
    "failures": "its workers failed, hung or did not start",
    "interrupted": "the race was interrupted",
}
"""Sentence part that says why a search ended or a candidate was left out."""

TOO_LARGE = "its workers need more memory than the memory limit"
"""Sentence part that says why a candidate, or a pool without any lap, was left out."""

GIVEN = "its concurrency was given"
"""Sentence part that says why a pool without a search has no other concurrencies."""

CANDIDATES_PER_POOL = 2
"""Number of candidates that a pool without any lap needs for its verdict, at least."""

MIN_BUDGET_FACTOR = 1.5
"""Ratio of the time budget that is proposed to the one that was used up, at least."""

BUDGET_ITEMS = 60
"""Number of items one after the other that the proposed time budget is enough for, at least."""

BUDGET_STEP_S = 10
"""Seconds to a multiple of which the proposed time budget is rounded up."""


@dataclass(frozen=True)
class PoolEnd:
    """The reason why a pool's concurrency was not raised further, and its possible gain."""

    ended: Reason | None
    """``None`` for a pool whose concurrency was given."""
    because: str
    """The reason in words: the first failure if workers failed."""
    could_be_faster: float | None
    """Ratio, at least 1, of the speed that the pool may still reach to the best that it reached,
    by the race's model; ``None`` for a pool without a usable lap."""


@dataclass(frozen=True)
class Gaps:
    """Comparisons that a race planned and did not make."""

    never_measured: dict[str, Reason] = field(default_factory=dict)
    """Pool or candidate without any lap -> reason."""
    unfinished: dict[str, Reason] = field(default_factory=dict)
    """Pool that might be faster with more slots -> reason why its search ended."""
    rounds: int | None = None
    """Number of rounds of the finals that compare candidates if they are too few, else ``None``."""

    def __bool__(self) -> bool:
        return bool(self.never_measured or self.unfinished) or self.rounds is not None

    @property
    def reasons(self) -> set[Reason]:
        """The reasons of all gaps."""
        return {*self.never_measured.values(), *self.unfinished.values()}


def is_compared(race: Race, summaries: Sequence[CandidateSummary]) -> bool:
    """Whether two candidates have a round of the finals in common."""
    rounds = [len(final_speeds(race, summary.candidate)) for summary in summaries]
    return sum(number > 0 for number in rounds) > 1


def pool_ends(race: Race) -> dict[str, PoolEnd]:
    """Pool -> why it was not raised further; solo has one slot, and is left out."""
    pools = dict.fromkeys([*race.ended, *(candidate.pool for candidate in race.candidates)])
    return {
        pool: PoolEnd(
            ended=(reason := race.ended.get(pool)),
            because=because(race, pool, reason) if reason else GIVEN,
            could_be_faster=ratio if math.isfinite(ratio := potential(race, pool)) else None,
        )
        for pool in pools
        if pool != "solo"
    }


def because(race: Race, name: str, reason: Reason) -> str:
    """Why a pool or candidate was left out: its first failure if one is known."""
    pool = name.partition(":")[0]
    if reason == "memory" and name not in {candidate.pool for candidate in race.candidates}:
        return TOO_LARGE
    known = [
        failure
        for failed, failure in race.failures.items()
        if failed == name or (name == pool and failed.partition(":")[0] == pool)
    ]
    return known[0] if reason == "failures" and known else ENDED[reason]


def find_gaps(race: Race, summaries: Sequence[CandidateSummary], fastest: CandidateSummary) -> Gaps:
    """The gaps of a race with these eligible summaries and this fastest candidate."""
    left_out = {
        name: reason
        for name, reason in race.left_out.items()
        if name not in {str(candidate) for candidate in race.candidates}
    }
    pools = {candidate.pool for candidate in race.candidates}
    never_started = {
        pool: reason
        for pool, reason in race.ended.items()
        if pool not in pools and reason in {*EARLY_ENDS, "failures"}
    }
    never_measured = {**never_started, **left_out}
    able = [summary for summary in summaries if summary.candidate in race.finalists]
    planned = len(able) > 1 or never_measured or race.interruption
    rounds = 0
    if is_compared(race, summaries):
        rounds = max(lap.round for lap in race.laps if lap.kind == "final")
    too_few = planned and rounds < MIN_ROUNDS
    unfinished = dict(_unfinished(race, fastest))
    return Gaps(never_measured, unfinished, rounds if too_few else None)


def enough_s(race: Race, gaps: Gaps) -> float:
    """Time budget in seconds that is enough for a verdict, as a rough estimate.

    Each candidate that is missing takes as long as those did that were measured, on average.
    """
    pools = len(gaps.never_measured) * CANDIDATES_PER_POOL + len(gaps.unfinished)
    estimate_s = race.budget_s * max(MIN_BUDGET_FACTOR, 1 + pools / len(race.candidates))
    longest_s = max(lap.running_s[0] for lap in race.laps)
    return BUDGET_STEP_S * math.ceil(max(estimate_s, BUDGET_ITEMS * longest_s) / BUDGET_STEP_S)


def _unfinished(race: Race, fastest: CandidateSummary) -> Iterator[tuple[str, Reason]]:
    """Pools whose search ended early, still rose, and may reach the fastest candidate."""
    for pool, reason in race.ended.items():
        best = _best_speed(race, pool)
        if reason not in EARLY_ENDS or not best:
            continue
        ratio = potential(race, pool)
        if ratio > 1 + MARGIN and ratio * best >= fastest.items_per_s:
            yield pool, reason


def _best_speed(race: Race, pool: str) -> float:
    speeds = (lap.items_per_s for lap in race.laps if lap.candidate.pool == pool)
    return max(speeds, default=0.0)
