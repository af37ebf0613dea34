"""Sentences of the report of a race about its recommendation and the memory that candidates need.

``race_cases`` says when each of them is printed.
"""

from collections.abc import Iterator
from statistics import median

from poolrace.producer.analysis.race_hints import WAITING_TASK
from poolrace.producer.analysis.race_model import model_of
from poolrace.producer.analysis.race_summary import KINDS, CandidateSummary, laps_of
from poolrace.producer.analysis.race_verdict import Verdict

FRUGAL_SPEED = 0.7
"""Share of the recommended candidate's speed from which a frugal candidate is mentioned."""

FRUGAL_MEMORY = 0.5
"""Share of the recommended candidate's memory below which another candidate is frugal."""


def mib(row: CandidateSummary) -> float:
    """Peak memory of a candidate in MiB."""
    return row.peak_memory_bytes / 2**20


def over_memory(verdict: Verdict) -> Iterator[str]:
    """Sentence that explains why the first row of the table is not the fastest candidate."""
    first = verdict.summaries[0]
    yield (
        f"{first.candidate} reached {first.items_per_s:.4g} items/s, but needs more memory than"
        " --max-memory allows."
    )


def not_in_finals(verdict: Verdict) -> Iterator[str]:
    """Sentence about a first row of the table that did not run in the finals."""
    first = verdict.summaries[0]
    yield (
        f"{first.candidate} reached {first.items_per_s:.4g} items/s in the search, but was not"
        " chosen for the finals; candidates are compared within the rounds of the finals only."
    )


def fastest_is_cheapest(verdict: Verdict) -> Iterator[str]:
    """Sentence about the memory of the fastest candidate."""
    best = verdict.fastest
    needs = f"{best.candidate} needs" if verdict.tied else "It also needs"
    bounded = " whose memory does not grow" if verdict.growing else ""
    yield f"{needs} the least memory ({mib(best):.0f} MiB) of all candidates within 5 %{bounded}."


def lighter(verdict: Verdict) -> CandidateSummary | None:
    """The candidate with the least memory of those that are not distinguishable from the fastest
    one; ``None`` if that is the fastest one itself. Memory that grows is not compared."""
    bounded = [row for row in verdict.tied if row.candidate not in verdict.growing]
    best = verdict.fastest
    leanest = min([best, *bounded], key=lambda row: row.peak_memory_bytes)
    return leanest if mib(leanest) < round(mib(best)) and leanest != best else None


def lighter_may_be_slower(verdict: Verdict) -> Iterator[str]:
    """Sentence about a candidate with less memory whose lower speed the rounds do not confirm."""
    row, best = lighter(verdict), verdict.fastest
    if row:
        yield (
            f"{row.candidate} needs less memory than {best.candidate}, {mib(row):.0f} MiB instead"
            f" of {mib(best):.0f} MiB; it was {1 - row.items_per_s / best.items_per_s:.0%} slower,"
            " but the rounds do not confirm that."
        )


def another_is_cheapest(verdict: Verdict) -> Iterator[str]:
    """Sentence that names the candidate with the least memory."""
    cheapest, best = verdict.cheapest, verdict.fastest
    if cheapest:
        yield (
            f"{cheapest.candidate} needs the least memory of all candidates that may be within 5 %"
            f" of {best.candidate}: {mib(cheapest):.0f} MiB instead of {mib(best):.0f} MiB."
        )


def another_is_recommended(verdict: Verdict) -> Iterator[str]:
    """Sentence that names the candidate to deploy, and why it is not the fastest."""
    recommended, best = verdict.recommended, verdict.fastest
    reservation = "" if verdict.complete else " with this reservation"
    yield (
        f"{recommended.candidate} is recommended{reservation}: it is not distinguishable from"
        f" {best.candidate}, and needs {mib(recommended):.0f} MiB and"
        f" {recommended.candidate.slots} slot(s) instead of {mib(best):.0f} MiB and"
        f" {best.candidate.slots}."
    )


def recommended_by_model(verdict: Verdict) -> Iterator[str]:
    """Sentence that names the candidate to deploy, which the race's model expects to be faster."""
    recommended, best = verdict.recommended.candidate, verdict.fastest.candidate
    one, two = (model_of(verdict.race, each.pool).quiet_speed(each) for each in (recommended, best))
    ratio = one / max(two, 1e-9)
    reservation = "" if verdict.complete else " with this reservation"
    yield (
        f"{recommended} is recommended{reservation}: the finals do not distinguish it from {best},"
        " but by the CPU time and the waiting of an item it should be"
        f" {ratio:.1f} times as fast on a quiet machine."
    )


def recommended_in_spite_of_memory(verdict: Verdict) -> Iterator[str]:
    """Sentence that names the candidate to deploy after one with less memory was named."""
    candidate = verdict.recommended.candidate
    uses_more_cores = candidate.pool == "prefork" or candidate.workers > 1
    hidden = verdict.busy_machine and verdict.waiting_share < WAITING_TASK and uses_more_cores
    reason = ": a busy machine hides what more cores gain on a quiet one" if hidden else ""
    yield f"{candidate} is recommended{reason}."


def recommended_with_reservation(verdict: Verdict) -> Iterator[str]:
    """Sentence that names the candidate to deploy after an incomplete race."""
    yield f"{verdict.recommended.candidate} is recommended with this reservation."


def frugal(verdict: Verdict) -> Iterator[str]:
    """Sentence about a slower candidate that needs much less memory, if there is one."""
    best = verdict.recommended
    shares = {
        row.candidate: _speed_share(verdict, row, best)
        for row in verdict.summaries
        if row.peak_memory_bytes < FRUGAL_MEMORY * best.peak_memory_bytes
        and row.candidate not in verdict.growing
    }
    row = max(verdict.summaries, key=lambda row: shares.get(row.candidate, 0.0))
    share = shares.get(row.candidate, 0.0)
    if share >= FRUGAL_SPEED:
        yield (
            f"{row.candidate} reaches {share:.0%} of the speed of {best.candidate} with"
            f" {row.peak_memory_bytes / best.peak_memory_bytes:.0%} of its memory."
        )


def _speed_share(verdict: Verdict, row: CandidateSummary, best: CandidateSummary) -> float:
    """Share of a candidate's speed in that of another one, by laps of the same kind if they have
    any: a machine may be slower in the finals than in the search."""
    one, two = row.items_per_s, best.items_per_s
    for kind in KINDS:
        laps = [laps_of(verdict.race, each.candidate, kind) for each in (row, best)]
        if all(laps):
            one, two = (median(lap.items_per_s for lap in each) for each in laps)
            break
    return one / max(two, 1e-9)
