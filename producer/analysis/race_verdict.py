"""What follows from a race: who is fastest, who is cheapest, what limits. Pure."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from poolrace.producer.analysis.race_summary import (
    CandidateSummary,
    own_waiting_share,
    speeds,
    standings,
)
from poolrace.producer.analysis.significance import FASTER, NEAR, Judgement, duel, may_equal
from poolrace.producer.results.race import Race

Limit = Literal["cpu", "gil", "waiting", "broker", "memory", "blocking", "failures"]

FAILED = 0.1
"""Part of the items that may fail before failures are what counts."""

WAITS = 0.5
"""A task waits if it does so for more than this part of its time."""

SERIAL = 1.5
"""Greenlets of which fewer run at a time, on average, do not change places."""

CHEAPER = 0.9
"""Less memory than this part of another's is worth a few percent of speed."""


@dataclass(frozen=True)
class Verdict:
    """The answer, as far as the figures carry it."""

    standings: list[CandidateSummary]
    fastest: CandidateSummary
    cheapest: CandidateSummary
    """The one with the least memory of those within 5 % of the fastest, as far as can be told."""
    recommended: CandidateSummary
    """Of the fastest and those that cannot be told from it the lightest, with the fewest slots;
    of a task that computes beside others, who hide what cores are worth, the fastest."""
    alike: list[CandidateSummary]
    """Those that it cannot be told from."""
    unfinished: list[str]
    """Pools that might be faster with more slots, for which there was no time."""
    limited_by: Limit
    blocking: list[CandidateSummary]
    """Pools of greenlets that a call blocks as a whole."""
    waiting_share: float
    """Part of its time in which the task, alone in one slot, waits."""
    race: Race

    @classmethod
    def of(cls, race: Race) -> Self:
        """Judge the race; it has a lap at least."""
        table = standings(race)
        able = [it for it in table if _came_through(race, it)] or table
        fastest = _fastest(race, able)
        cheapest = _cheapest(race, fastest, able)
        alike = [it for it in table if it != fastest and _is_open(race, fastest, it)]
        share = own_waiting_share(race.base)
        blocking = _blocking(race, table, share)
        return cls(
            standings=table,
            fastest=fastest,
            cheapest=cheapest,
            recommended=_recommended(race, fastest, [it for it in able if it in alike]),
            alike=alike,
            unfinished=_unfinished(race, fastest),
            limited_by=_limit(race, [fastest, *alike], blocking, share),
            blocking=blocking,
            waiting_share=share,
            race=race,
        )

    @property
    def distinguishable(self) -> bool:
        """Whether the fastest can be told from every other one that was to race."""
        return self.pool_is_clear and not self.alike

    @property
    def pool_is_clear(self) -> bool:
        """Whether the pool is clear, though perhaps not with how many slots."""
        pools = {it.candidate.pool for it in self.alike} - {self.fastest.candidate.pool}
        return not (pools or self.race.left_out or self.unfinished)

    @property
    def worker_command(self) -> str:
        """What to type; several workers get names of their own."""
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
        """The same for the app's configuration; a pool of greenlets must be on the command line."""
        candidate = self.recommended.candidate
        found: dict[str, Any] = {"worker_concurrency": candidate.concurrency}
        if candidate.pool != "gevent":
            found["worker_pool"] = candidate.pool
        if candidate.prefetch is not None:
            found["worker_prefetch_multiplier"] = candidate.prefetch
        if candidate.max_tasks is not None:
            found["worker_max_tasks_per_child"] = candidate.max_tasks
        return found

    def to_json(self) -> dict[str, Any]:
        """The verdict as a JSON object."""
        return {
            "candidates": [it.to_json() for it in self.standings],
            "fastest": self.fastest.candidate.to_json(),
            "cheapest": self.cheapest.candidate.to_json(),
            "recommended": self.recommended.candidate.to_json(),
            "alike": [it.candidate.to_json() for it in self.alike],
            "distinguishable": self.distinguishable,
            "crowded": self.race.crowded,
            "limited_by": self.limited_by,
            "waiting_share": self.waiting_share,
            "worker_command": self.worker_command,
            "settings": self.settings,
            "executions": self.race.executions,
        }


def _came_through(race: Race, it: CandidateSummary) -> bool:
    """Whether it kept within the memory, and its workers to the end."""
    fits = it.peak_memory_bytes <= race.max_memory_bytes
    return fits and not any(lap.lost for lap in race.of(it.candidate))


def _fastest(race: Race, table: Sequence[CandidateSummary]) -> CandidateSummary:
    """Of those that stayed in the finals to the end; the others were slower."""
    rounds = {it.candidate: len(speeds(race, it.candidate)) for it in table}
    most = max(rounds.values())
    return max((it for it in table if rounds[it.candidate] == most), key=lambda it: it.items_per_s)


def _cheapest(
    race: Race, fastest: CandidateSummary, table: Sequence[CandidateSummary]
) -> CandidateSummary:
    near = _near(race, fastest, table, NEAR)
    return min(near, key=lambda it: it.peak_memory_bytes)


def _recommended(
    race: Race, fastest: CandidateSummary, alike: Sequence[CandidateSummary]
) -> CandidateSummary:
    if race.crowded and own_waiting_share(race.base) < WAITS:
        return fastest  # one slot may seem to do as well there, and would not on a quiet machine
    near = _near(race, fastest, [fastest, *alike], FASTER)
    least_bytes = min(it.peak_memory_bytes for it in near)
    light = [it for it in near if CHEAPER * it.peak_memory_bytes <= least_bytes]
    return min(light, key=lambda it: (it.candidate.slots, -it.items_per_s))


def _near(
    race: Race, fastest: CandidateSummary, table: Sequence[CandidateSummary], within: float
) -> list[CandidateSummary]:
    """The fastest, and those that may be as fast."""
    own = speeds(race, fastest.candidate)
    return [
        it for it in table if it == fastest or may_equal(speeds(race, it.candidate), own, within)
    ]


def _unfinished(race: Race, fastest: CandidateSummary) -> list[str]:
    """Pools whose search a limit ended, and that might be faster with twice the slots."""
    found = []
    for pool, why in race.ended.items():
        if pool != fastest.candidate.pool and why in {"time", "executions"}:
            best = max((it.items_per_s for it in race.laps if it.candidate.pool == pool), default=0)
            found += [pool] * (2 * best >= fastest.items_per_s)
    return found


def _is_open(race: Race, fastest: CandidateSummary, other: CandidateSummary) -> bool:
    """Whether it is in the finals and not known to be slower; all others are by far.

    Where others compute, more slots of a pool win cores from them: that is known to be no merit.
    """
    if other.candidate not in race.finalists:
        return False
    if race.crowded and fastest.candidate.pool == other.candidate.pool:
        return True
    judged = duel(speeds(race, fastest.candidate), speeds(race, other.candidate))
    return judged != Judgement.FASTER


def _limit(
    race: Race,
    best: Sequence[CandidateSummary],
    blocking: Sequence[CandidateSummary],
    waiting_share: float,
) -> Limit:
    """What would have to be more, or better, for more items a second.

    ``best`` are the fastest and those that it cannot be told from.
    """
    fastest = best[0]
    if fastest.failed_share > FAILED:
        return "failures"
    running_s = sum(lap.running_total_s for lap in race.base)
    if running_s < 0.5 * sum(lap.wall_s for lap in race.base):
        return "broker"  # even one slot spends its time on messages
    if blocking:
        return "blocking"
    if race.ended.get(fastest.candidate.pool) == "memory":
        return "memory"
    computing = sum(lap.cpu_s for lap in race.base) / max(running_s, 1e-9)
    if waiting_share > WAITS and computing < 1 - WAITS:
        return "waiting"
    # Where processes are as fast, it is not the GIL that limits.
    one_interpreter = all(
        it.candidate.pool != "prefork" and it.candidate.workers == 1 for it in best
    )
    held_back = one_interpreter and race.cores > 1 and fastest.cores_used < 1.25
    return "gil" if held_back and race.gil and fastest.candidate.pool != "solo" else "cpu"


def _blocking(
    race: Race, table: Sequence[CandidateSummary], waiting_share: float
) -> list[CandidateSummary]:
    """Pools of greenlets in which items wait and yet do not overlap.

    A part of the item may overlap, and another one block: then threads, of which the kernel lets
    others run, leave the greenlets behind although these do not use up their core. Where others
    compute, they may not have had a core to use up.
    """
    if waiting_share < WAITS:
        return []
    own_core = not race.crowded
    return [
        it
        for it in table
        if it.candidate.pool == "gevent"
        and it.candidate.slots >= 4
        and (it.overlap < SERIAL or (own_core and it.cores_used < 0.7 and _threads(table, it) > 2))
    ]


def _threads(table: Sequence[CandidateSummary], greenlets: CandidateSummary) -> float:
    """How many times as fast threads are, of which there are no more than greenlets."""
    found = [
        it.items_per_s
        for it in table
        if it.candidate.pool == "threads" and it.candidate.slots <= greenlets.candidate.slots
    ]
    return max(found, default=0.0) / max(greenlets.items_per_s, 1e-9)
