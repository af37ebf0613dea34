"""Derives the verdict of a race: the fastest candidate, the cheapest, and the limit. Pure."""

import shlex
from dataclasses import asdict, dataclass
from typing import Any

from poolrace.producer.analysis.race_choice import (
    choose_cheapest,
    choose_fastest,
    choose_recommended,
    is_eligible,
    is_tied,
)
from poolrace.producer.analysis.race_gaps import (
    Gaps,
    PoolEnd,
    find_gaps,
    is_compared,
    pool_ends,
)
from poolrace.producer.analysis.race_hints import (
    Saturation,
    find_blocking,
    find_growing,
    find_saturation,
    find_starved,
)
from poolrace.producer.analysis.race_limit import (
    ONE_SLOT_FOR_EACH_CORE,
    Advice,
    Evidence,
    Limit,
    advise,
    find_limit,
)
from poolrace.producer.analysis.race_summary import (
    CandidateSummary,
    is_busy,
    summarize,
    waiting_share_of,
)
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Race


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
    """The candidate to deploy: among those within 3 % of the fastest, the one with the least
    memory, then the fewest slots; or one with far less memory that may be within 10 %. On a busy
    machine a CPU-bound task gets the fastest one,
    because background load hides the benefit of more cores. A candidate whose memory grows with
    every item is not recommended where another one is at least half as fast."""
    tied: list[CandidateSummary]
    """Finalists that are not distinguishable from the fastest one."""
    compared: bool
    """Whether at least two candidates that stayed within the memory limit, and whose workers never
    ended or hung, ran in the same round of the finals."""
    gaps: Gaps
    """Comparisons that the race planned and did not make."""
    pools: dict[str, PoolEnd]
    """Pool -> why it was not raised further, and how much faster it could be."""
    limited_by: Limit
    advice: Advice
    """Changes that would raise throughput, and changes that would not."""
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
        """Whether a complete race distinguishes the fastest candidate from all other ones."""
        return self.complete and self.compared and not self.tied

    @property
    def pool_is_clear(self) -> bool:
        """Whether the fastest pool is known, even if its best number of slots is not."""
        own = {self.fastest.candidate.pool}
        tied = {summary.candidate.pool for summary in self.tied}
        return not ((tied | self.gaps.unfinished.keys()) - own or self.gaps.never_measured)

    @property
    def has_idle_cores(self) -> bool:
        """Whether the task computes in fewer slots than there are cores."""
        return self.limited_by == "cpu" and self.advice.helps == (ONE_SLOT_FOR_EACH_CORE,)

    @property
    def busy_machine(self) -> bool:
        """Whether other processes left the race too few cores."""
        return is_busy(self.race)

    @property
    def worker_command(self) -> str:
        """Shell command that starts the recommended workers; Ctrl-C ends all of them."""
        candidate = self.recommended.candidate
        command = [*self.race.command, "worker", *candidate.options()]
        if self.race.queue:
            command += ["--queues", self.race.queue]
        command += ["--loglevel", "INFO"]
        if candidate.workers == 1:
            return shlex.join(command)
        several = [*command, "--hostname", "worker{}@%h"]
        return (
            f"seq {candidate.workers} | xargs -P {candidate.workers} -I {{}} {shlex.join(several)}"
        )

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
        conclusive, compared = self.conclusive, self.compared
        return {
            "candidates": [summary.to_json() for summary in self.summaries],
            "complete": self.complete,
            "gaps": asdict(self.gaps),
            "pools": {pool: asdict(end) for pool, end in self.pools.items()},
            "fastest": self.fastest.candidate.to_json() if compared else None,
            "cheapest": self.cheapest.candidate.to_json() if compared and self.cheapest else None,
            "recommended": self.recommended.candidate.to_json() if conclusive else None,
            "alike": [summary.candidate.to_json() for summary in self.tied],
            "distinguishable": self.distinguishable,
            "crowded": self.busy_machine,
            "limited_by": self.limited_by,
            "would_help": list(self.advice.helps) if conclusive else [],
            "would_not_help": list(self.advice.does_not_help) if conclusive else [],
            "waiting_share": self.waiting_share,
            "worker_command": self.worker_command if conclusive else None,
            "settings": self.settings if conclusive else {},
            "executions": self.race.executions,
        }


def judge(race: Race) -> Verdict:
    """Derive the verdict of a race that has at least one lap."""
    summaries = summarize(race)
    eligible = [summary for summary in summaries if is_eligible(race, summary)] or summaries
    fastest = choose_fastest(race, eligible)
    tied = [
        summary for summary in eligible if summary != fastest and is_tied(race, fastest, summary)
    ]
    waiting_share = waiting_share_of(race.base)
    starved = find_starved(race, summaries)
    growing = find_growing(race)
    blocking = [
        summary
        for summary in find_blocking(race, summaries, waiting_share)
        if summary not in starved
    ]
    recommended = choose_recommended(race, fastest, tied, eligible, growing)
    saturation = find_saturation(race, summaries, [*blocking, *starved])
    best = [fastest, *tied]
    evidence = Evidence(race, best, recommended, blocking, saturation, waiting_share)
    limit = find_limit(evidence)
    return Verdict(
        race=race,
        summaries=summaries,
        fastest=fastest,
        cheapest=choose_cheapest(race, fastest, eligible, growing),
        recommended=recommended,
        tied=tied,
        compared=is_compared(race, eligible),
        gaps=find_gaps(race, eligible, fastest),
        pools=pool_ends(race),
        limited_by=limit,
        advice=advise(limit, evidence),
        blocking=blocking,
        starved=starved,
        growing=growing,
        saturation=saturation,
        waiting_share=waiting_share,
    )
