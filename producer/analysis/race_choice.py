"""Chooses the fastest, the cheapest and the recommended candidate of a race. Pure."""

from collections.abc import Container, Sequence

from poolrace.producer.analysis.race_hints import WAITING_TASK
from poolrace.producer.analysis.race_model import model_of
from poolrace.producer.analysis.race_summary import (
    CandidateSummary,
    final_speeds,
    is_busy,
    laps_of,
    waiting_share_of,
)
from poolrace.producer.analysis.significance import (
    CERTAINLY_SLOWER,
    MARGIN,
    MOST_MEMORY,
    SAME_SPEED,
    PairedResult,
    compare_paired,
    is_obviously_faster,
    may_be_as_fast,
)
from poolrace.producer.analysis.stats import confidence_interval, median
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Race

LESS_MEMORY = 0.9
"""Share of another candidate's memory below which a candidate is preferred, if nearly as fast."""

LEAN_LOSS = 0.03
"""Relative loss of speed up to which less memory decides. Workers that are started again differ by
3 to 5 % in all rounds of a race, so the true loss may be twice as large."""

POOL_MARGIN = 0.3
"""Relative difference from which the model decides which of two candidates of different pools is
faster, as of one process and two. If something takes a core that no process of the machine shows,
as the host of a virtual machine may, two processes are no faster than one until it is gone."""

FAST_ENOUGH = 0.5
"""Share of the speed of a candidate whose memory grows, from which another one is preferred."""


def is_eligible(race: Race, summary: CandidateSummary) -> bool:
    """Whether a candidate stayed within the memory limit and its workers never ended or hung."""
    fits = summary.peak_memory_bytes <= race.max_memory_bytes
    return fits and not any(lap.lost for lap in laps_of(race, summary.candidate))


def choose_fastest(race: Race, summaries: Sequence[CandidateSummary]) -> CandidateSummary:
    """The fastest of the candidates that have the most rounds in the finals.

    An interrupted last round does not count.
    """
    rounds = {
        summary.candidate: len(final_speeds(race, summary.candidate)) for summary in summaries
    }
    most = max(rounds.values())
    least = max(1, most - 1) if most else 0
    complete = [summary for summary in summaries if rounds[summary.candidate] >= least]
    return max(complete, key=lambda summary: summary.items_per_s)


def choose_cheapest(
    race: Race,
    fastest: CandidateSummary,
    summaries: Sequence[CandidateSummary],
    growing: Container[Candidate],
) -> CandidateSummary | None:
    """The candidate with the least memory of those that may be as fast as the fastest."""
    as_fast = _as_fast(race, fastest, summaries, SAME_SPEED)
    bounded = [summary for summary in as_fast if summary.candidate not in growing]
    return min(bounded, key=lambda summary: summary.peak_memory_bytes, default=None)


def is_tied(race: Race, fastest: CandidateSummary, other: CandidateSummary) -> bool:
    """Whether a finalist is not known to be slower than the fastest candidate.

    On a busy machine more slots of one pool take cores from other processes. That gain does not
    count, so candidates of the same pool with as many workers are tied there.
    """
    if other.candidate not in race.finalists:
        return False
    one, two = fastest.candidate, other.candidate
    if is_busy(race) and (one.pool, one.workers) == (two.pool, two.workers):
        return True
    speeds = final_speeds(race, fastest.candidate), final_speeds(race, other.candidate)
    return compare_paired(*speeds) != PairedResult.FASTER and not is_obviously_faster(*speeds)


def choose_recommended(
    race: Race,
    fastest: CandidateSummary,
    tied: Sequence[CandidateSummary],
    eligible: Sequence[CandidateSummary],
    growing: Container[Candidate],
) -> CandidateSummary:
    """The candidate to deploy; see ``Verdict.recommended``."""
    recommended = _recommended(race, fastest, [summary for summary in eligible if summary in tied])
    finalists = [summary for summary in eligible if summary.candidate in race.finalists]
    return _bounded(recommended, finalists, growing)


def _bounded(
    recommended: CandidateSummary,
    summaries: Sequence[CandidateSummary],
    growing: Container[Candidate],
) -> CandidateSummary:
    """The recommended candidate, or the fastest whose memory does not grow with every item."""
    if recommended.candidate not in growing:
        return recommended
    bounded = [
        summary
        for summary in summaries
        if summary.candidate not in growing
        and summary.items_per_s >= FAST_ENOUGH * recommended.items_per_s
    ]
    return max(bounded, key=lambda summary: summary.items_per_s, default=recommended)


def _recommended(
    race: Race, fastest: CandidateSummary, tied: Sequence[CandidateSummary]
) -> CandidateSummary:
    """The candidate to deploy; see ``Verdict.recommended``."""
    if is_busy(race) and waiting_share_of(race.base) < WAITING_TASK:
        return fastest  # one slot may seem as fast here, but is not on a quiet machine
    as_fast = [
        summary for summary in tied if median(_ratios(race, summary, fastest)) >= 1 - LEAN_LOSS
    ]
    recommended = _lightest(_as_fast_by_model(race, [fastest, *as_fast]))
    far_leaner = [
        summary
        for summary in _as_fast_by_model(race, [fastest, *tied])
        if MOST_MEMORY * summary.peak_memory_bytes < recommended.peak_memory_bytes
        and _may_be_nearly_as_fast(race, summary, fastest)
    ]
    return _lightest(far_leaner) if far_leaner else recommended


def _lightest(summaries: Sequence[CandidateSummary]) -> CandidateSummary:
    """Of the candidates with about the least memory the one with the fewest slots."""
    least_bytes = min(summary.peak_memory_bytes for summary in summaries)
    light = [
        summary for summary in summaries if LESS_MEMORY * summary.peak_memory_bytes <= least_bytes
    ]
    return min(light, key=lambda summary: (summary.candidate.slots, -summary.items_per_s))


def _may_be_nearly_as_fast(
    race: Race, summary: CandidateSummary, fastest: CandidateSummary
) -> bool:
    """Whether the speed of a candidate may be within ``MARGIN`` of that of the fastest one.

    Workers that are started again change their speed by 3 to 5 %, which all rounds of a race share.
    """
    ratios = _ratios(race, summary, fastest)
    interval = confidence_interval(ratios)
    includes_margin = interval is None or interval[1] >= 1 - MARGIN
    return median(ratios) >= CERTAINLY_SLOWER and includes_margin


def _ratios(race: Race, summary: CandidateSummary, fastest: CandidateSummary) -> list[float]:
    """Ratios of the speeds of a candidate to those of the fastest one within rounds; 0 if none."""
    speeds = final_speeds(race, summary.candidate), final_speeds(race, fastest.candidate)
    return [speed / other for speed, other in zip(*speeds, strict=False) if other > 0] or [0.0]


def _as_fast_by_model(race: Race, summaries: Sequence[CandidateSummary]) -> list[CandidateSummary]:
    """The candidates that the race's model does not expect to be slower than another one.

    Their laps may look alike by chance, so only rounds that show that two are equivalent count more
    than the model. On a busy machine they do not: a second worker gains little there by a core of
    its own. Two pools are compared if the task computes, since only the CPU limits it.
    """
    speeds = {
        summary.candidate: model_of(race, summary.candidate.pool).quiet_speed(summary.candidate)
        for summary in summaries
    }
    return [
        summary
        for summary in summaries
        if not any(
            speeds[summary.candidate]
            < (1 - _margin(race, summary.candidate, other)) * speeds[other]
            and _may_differ(race, summary.candidate, other)
            for other in speeds
        )
    ]


def _margin(race: Race, one: Candidate, other: Candidate) -> float:
    """Relative difference from which the model decides which of two candidates is faster."""
    if one.pool == other.pool:
        return MARGIN
    return POOL_MARGIN if waiting_share_of(race.base) < WAITING_TASK else 1.0


def _may_differ(race: Race, one: Candidate, other: Candidate) -> bool:
    """Whether the rounds of two candidates leave it open that they differ on a quiet machine."""
    rounds = final_speeds(race, one), final_speeds(race, other)
    return is_busy(race) or compare_paired(*rounds) != PairedResult.EQUIVALENT


def _as_fast(
    race: Race, fastest: CandidateSummary, summaries: Sequence[CandidateSummary], within: float
) -> list[CandidateSummary]:
    """The fastest candidate, and those that may be as fast, up to a difference of ``within``."""
    reference = final_speeds(race, fastest.candidate)
    return [
        summary
        for summary in summaries
        if summary == fastest
        or may_be_as_fast(final_speeds(race, summary.candidate), reference, within)
    ]
