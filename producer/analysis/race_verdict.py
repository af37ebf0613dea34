"""Derives the verdict of a race: the fastest candidate, the cheapest, and the limit. Pure."""

import shlex
from collections.abc import Container, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from poolrace.producer.analysis.race_gaps import Gaps, find_gaps, is_compared
from poolrace.producer.analysis.race_hints import (
    Saturation,
    find_growing,
    find_saturation,
    find_starved,
)
from poolrace.producer.analysis.race_limit import (
    WAITING_TASK,
    Limit,
    find_blocking,
    find_limit,
)
from poolrace.producer.analysis.race_summary import (
    CandidateSummary,
    final_speeds,
    is_busy,
    laps_of,
    summarize,
    waiting_share_of,
)
from poolrace.producer.analysis.significance import (
    MARGIN,
    SAME_SPEED,
    PairedResult,
    compare_paired,
    is_obviously_faster,
    may_be_as_fast,
)
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Race

LESS_MEMORY = 0.9
"""Share of another candidate's memory below which a candidate is preferred, if nearly as fast."""


FAST_ENOUGH = 0.5
"""Share of the speed of a candidate whose memory grows, from which another one is preferred."""


@dataclass(frozen=True)
class Verdict:
    """Conclusions from a race: its fastest, cheapest and recommended candidates, and the limit."""

    race: Race
    summaries: list[CandidateSummary]
    """All candidates, the fastest first."""
    fastest: CandidateSummary
    cheapest: CandidateSummary | None
    """The candidate with the least memory of those that may be within 5 % of the fastest;
    ``None`` if the memory of all of them grows with every item."""
    recommended: CandidateSummary
    """The candidate to deploy: among those statistically tied with the fastest, the one with the
    least memory, then the fewest slots. On a busy machine a CPU-bound task gets the fastest one,
    because background load hides the benefit of more cores. A candidate whose memory grows with
    every item is not recommended where another one is at least half as fast."""
    tied: list[CandidateSummary]
    """Finalists that are not distinguishable from the fastest one."""
    compared: bool
    """Whether at least two candidates ran in the same round of the finals."""
    gaps: Gaps
    """Comparisons that the race planned and did not make."""
    limited_by: Limit
    blocking: list[CandidateSummary]
    """Candidates whose greenlets all stand still while one of them waits."""
    starved: list[CandidateSummary]
    """Candidates of the gevent pool that late acknowledgement starves."""
    growing: dict[Candidate, float]
    """Candidates whose memory grew with every item, and by how many bytes."""
    saturation: Saturation | None
    """The service behind the task, if it answers no faster to more items at a time."""
    waiting_share: float
    """Share of its running time in which the task waits, measured alone in one slot."""

    @property
    def complete(self) -> bool:
        """Whether the race made all comparisons that it planned."""
        return not (self.gaps or self.race.interruption)

    @property
    def conclusive(self) -> bool:
        """Whether anything can be recommended: candidates were compared, or only one can run."""
        return self.compared or self.complete

    @property
    def distinguishable(self) -> bool:
        """Whether the fastest candidate is distinguishable from all other ones."""
        return self.compared and self.pool_is_clear and not self.tied

    @property
    def pool_is_clear(self) -> bool:
        """Whether the fastest pool is known, even if its best number of slots is not."""
        own = {self.fastest.candidate.pool}
        tied = {summary.candidate.pool for summary in self.tied}
        return not ((tied | self.gaps.unfinished.keys()) - own or self.gaps.never_measured)

    @property
    def busy_machine(self) -> bool:
        """Whether other processes left the race too few cores."""
        return is_busy(self.race)

    @property
    def worker_command(self) -> str:
        """Shell command that starts the recommended workers."""
        candidate = self.recommended.candidate
        command = [*self.race.command, "worker", *candidate.options()]
        if self.race.queue:
            command += ["--queues", self.race.queue]
        command += ["--loglevel", "INFO"]
        if candidate.workers == 1:
            return shlex.join(command)
        names = (f"worker{number}@%h" for number in range(1, candidate.workers + 1))
        return " & ".join(shlex.join([*command, "--hostname", name]) for name in names)

    @property
    def settings(self) -> dict[str, Any]:
        """Celery settings of the recommended workers, for the app's configuration.

        The gevent pool is missing: Celery must find it on the command line, to patch in time.
        """
        candidate = self.recommended.candidate
        settings: dict[str, Any] = {"worker_concurrency": candidate.concurrency}
        if candidate.pool != "gevent":
            settings["worker_pool"] = candidate.pool
        if candidate.prefetch is not None:
            settings["worker_prefetch_multiplier"] = candidate.prefetch
        if candidate.max_tasks is not None:
            settings["worker_max_tasks_per_child"] = candidate.max_tasks
        return settings

    def to_json(self) -> dict[str, Any]:
        """The verdict as a JSON object; nothing is named best if nothing was compared."""
        conclusive = self.conclusive
        return {
            "candidates": [summary.to_json() for summary in self.summaries],
            "complete": self.complete,
            "gaps": asdict(self.gaps),
            "fastest": self.fastest.candidate.to_json() if conclusive else None,
            "cheapest": self.cheapest.candidate.to_json() if conclusive and self.cheapest else None,
            "recommended": self.recommended.candidate.to_json() if conclusive else None,
            "alike": [summary.candidate.to_json() for summary in self.tied],
            "distinguishable": self.distinguishable,
            "crowded": self.busy_machine,
            "limited_by": self.limited_by,
            "waiting_share": self.waiting_share,
            "worker_command": self.worker_command if conclusive else None,
            "settings": self.settings if conclusive else {},
            "executions": self.race.executions,
        }


def judge(race: Race) -> Verdict:
    """Derive the verdict of a race that has at least one lap."""
    summaries = summarize(race)
    eligible = [summary for summary in summaries if _is_eligible(race, summary)] or summaries
    fastest = _fastest(race, eligible)
    tied = [
        summary for summary in summaries if summary != fastest and _is_tied(race, fastest, summary)
    ]
    waiting_share = waiting_share_of(race.base)
    starved = find_starved(race, summaries)
    growing = find_growing(race)
    blocking = [
        summary
        for summary in find_blocking(race, summaries, waiting_share)
        if summary not in starved
    ]
    return Verdict(
        race=race,
        summaries=summaries,
        fastest=fastest,
        cheapest=_cheapest(race, fastest, eligible, growing),
        recommended=_bounded(
            _recommended(race, fastest, [summary for summary in eligible if summary in tied]),
            [summary for summary in eligible if summary.candidate in race.finalists],
            growing,
        ),
        tied=tied,
        compared=is_compared(race, summaries),
        gaps=find_gaps(race, summaries, fastest),
        limited_by=find_limit(race, [fastest, *tied], blocking, waiting_share),
        blocking=blocking,
        starved=starved,
        growing=growing,
        saturation=find_saturation(race, summaries, [*blocking, *starved]),
        waiting_share=waiting_share,
    )


def _is_eligible(race: Race, summary: CandidateSummary) -> bool:
    """Whether a candidate stayed within the memory limit and its workers never ended or hung."""
    fits = summary.peak_memory_bytes <= race.max_memory_bytes
    return fits and not any(lap.lost for lap in laps_of(race, summary.candidate))


def _fastest(race: Race, summaries: Sequence[CandidateSummary]) -> CandidateSummary:
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


def _cheapest(
    race: Race,
    fastest: CandidateSummary,
    summaries: Sequence[CandidateSummary],
    growing: Container[Candidate],
) -> CandidateSummary | None:
    """The candidate with the least memory of those that may be as fast as the fastest."""
    as_fast = _as_fast(race, fastest, summaries, SAME_SPEED)
    bounded = [summary for summary in as_fast if summary.candidate not in growing]
    return min(bounded, key=lambda summary: summary.peak_memory_bytes, default=None)


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
    as_fast = _as_fast(race, fastest, [fastest, *tied], MARGIN)
    least_bytes = min(summary.peak_memory_bytes for summary in as_fast)
    light = [
        summary for summary in as_fast if LESS_MEMORY * summary.peak_memory_bytes <= least_bytes
    ]
    return min(light, key=lambda summary: (summary.candidate.slots, -summary.items_per_s))


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


def _is_tied(race: Race, fastest: CandidateSummary, other: CandidateSummary) -> bool:
    """Whether a finalist is not known to be slower than the fastest candidate.

    On a busy machine more slots of one pool take cores from other processes. That gain does not
    count, so candidates of the same pool are tied there.
    """
    if other.candidate not in race.finalists:
        return False
    if is_busy(race) and fastest.candidate.pool == other.candidate.pool:
        return True
    speeds = final_speeds(race, fastest.candidate), final_speeds(race, other.candidate)
    return compare_paired(*speeds) != PairedResult.FASTER and not is_obviously_faster(*speeds)
