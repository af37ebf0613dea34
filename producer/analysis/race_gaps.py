"""Finds what a race did not compare: the gaps that make its verdict incomplete. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from poolrace.producer.analysis.race_summary import CandidateSummary, final_speeds
from poolrace.producer.analysis.significance import MIN_ROUNDS
from poolrace.producer.results.race import Race, Reason

EARLY_ENDS: set[Reason] = {"time", "executions", "interrupted"}
"""Reasons that end a race before all of its measurements are made."""


@dataclass(frozen=True)
class Gaps:
    """Comparisons that a race planned and did not make."""

    never_measured: dict[str, Reason] = field(default_factory=dict)
    """Pool or candidate without any lap -> reason."""
    unfinished: dict[str, Reason] = field(default_factory=dict)
    """Pool that might be faster with more slots -> reason why its search ended."""
    rounds: int | None = None
    """Number of rounds of the finals if they are too few to compare, else ``None``."""

    def __bool__(self) -> bool:
        return bool(self.never_measured or self.unfinished) or self.rounds is not None


def is_compared(race: Race, summaries: Sequence[CandidateSummary]) -> bool:
    """Whether two candidates have a round of the finals in common."""
    rounds = [len(final_speeds(race, summary.candidate)) for summary in summaries]
    return sum(number > 0 for number in rounds) > 1


def find_gaps(race: Race, summaries: Sequence[CandidateSummary], fastest: CandidateSummary) -> Gaps:
    """The gaps of a race with these summaries and this fastest candidate."""
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
    planned = len(race.finalists) > 1 or never_measured or race.interruption
    rounds = max((lap.round for lap in race.laps if lap.kind == "final"), default=0)
    too_few = planned and (rounds < MIN_ROUNDS or not is_compared(race, summaries))
    return Gaps(never_measured, _unfinished(race, fastest), rounds if too_few else None)


def _unfinished(race: Race, fastest: CandidateSummary) -> dict[str, Reason]:
    """Pools whose search ended at a limit, and that might be faster with twice the slots."""
    return {
        pool: reason
        for pool, reason in race.ended.items()
        if reason in EARLY_ENDS and 0 < fastest.items_per_s <= 2 * _best_speed(race, pool)
    }


def _best_speed(race: Race, pool: str) -> float:
    speeds = (lap.items_per_s for lap in race.laps if lap.candidate.pool == pool)
    return max(speeds, default=0.0)
