"""The strategy of a race: base, search, finals. Pure: a generator that yields requests.

``strategy`` yields requests to start, measure and stop candidates, is sent an ``Answer`` for each
of them, and returns its ``Decision``. ``race.py`` executes the requests on real workers, the
tests answer them from made-up machines.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from poolrace.producer.analysis.item_cost import item_cost, speed_of
from poolrace.producer.analysis.race_gaps import EARLY_ENDS
from poolrace.producer.race.base import measure_base
from poolrace.producer.race.finals import afford_rounds, choose_finalists, run_rounds
from poolrace.producer.race.no_verdict import base_error, no_finalists
from poolrace.producer.race.options import RaceOptions
from poolrace.producer.race.requests import GivenUp, Progress, Steps
from poolrace.producer.race.search import PoolSearch
from poolrace.producer.race.stages import (
    LAP_S,
    SEARCH_SHARE,
    START_S,
    Stages,
    searched_workers,
)
from poolrace.producer.results.candidate import SOLO, Candidate
from poolrace.producer.results.interruption import Interruption
from poolrace.producer.results.race import Reason

MAX_GIVEN = 6
"""Number of given candidates that race in the finals without a search, at most."""


@dataclass(frozen=True)
class Decision:
    """Result of a strategy: the finalists, and why each search ended."""

    finalists: list[Candidate]
    left_out: dict[str, Reason]
    """Candidate -> why it was not measured, or not to the end."""
    ended: dict[str, Reason]
    """Pool -> why its concurrency was not raised further."""
    interruption: Interruption = ""
    """What interrupted the race, empty if nothing did."""


def strategy(
    options: RaceOptions,
    pools: Sequence[str],
    fixed: Sequence[Candidate],
    cores: int,
    bases: Sequence[Candidate] = (SOLO,),
    *,
    gil: bool = True,
) -> Steps[Decision]:
    """Race the useful concurrencies of ``pools`` on ``cores`` cores, and the candidates ``fixed``.

    The first of ``bases`` that works measures the base. ``gil`` says whether threads of a process
    compute one at a time. Raises ``AllFailed`` if no item succeeds, ``JobFailed`` if no candidate
    can be measured. A ``GivenUp`` that is thrown into the generator ends the race; its decision
    is then based on the laps so far.
    """
    run = _Strategy(options, pools, fixed)
    try:
        yield from run.measure_base(bases)
        yield from run.search_pools(cores, gil=gil)
        yield from run.measure_given()
        yield from run.run_finals()
    except GivenUp as end:
        run.give_up("interrupted" if end.interruption else "time", ready=end.ready)
        return run.decision(end.interruption)
    return run.decision()


class _Strategy:
    """State of a strategy between its stages."""

    def __init__(
        self, options: RaceOptions, pools: Sequence[str], fixed: Sequence[Candidate]
    ) -> None:
        self._finalists: list[Candidate] = []
        self._left_out: dict[str, Reason] = {}
        self._ended: dict[str, Reason] = {}
        self._searches: list[PoolSearch] = []
        self._options = options
        self._pools = pools
        self._given = list(fixed)
        """Candidates that the user gave, and given variants of the best candidate of each pool."""
        self._progress = Progress(options)
        self._base = SOLO
        self._speeds: dict[Candidate, float] = {}
        """Executions/s of each candidate that may become a finalist."""

    def decision(self, interruption: Interruption = "") -> Decision:
        """The decision that follows from the laps so far."""
        return Decision(
            finalists=self._finalists,
            left_out=self._left_out,
            ended={**self._ended_searches(), **self._ended},
            interruption=interruption,
        )

    def give_up(self, reason: Reason, *, ready: bool) -> None:
        """Note the reason for all pools and candidates that were not measured to the end.

        ``ready``: the workers that the race used last were ready. Raises ``JobFailed`` if no item
        has succeeded, or all workers ended or hung.
        """
        laps = self._progress.laps
        if not any(lap.items for lap in laps):
            raise base_error(self._options, self._progress, gave_up=True, ready=ready)
        if reason == "time" and self._progress.all_lost:
            raise no_finalists(self._options, self._reasons, self._progress)
        done = {search.pool for search in self._searches if search.ended}
        self._ended = {pool: reason for pool in self._pools if pool not in done}
        measured = {lap.candidate for lap in laps}
        for candidate in (*self._given, *self._finalists):
            if candidate not in measured:
                self._left_out.setdefault(str(candidate), reason)

    def _ended_searches(self) -> dict[str, Reason]:
        """Pool -> why its search ended."""
        return {search.pool: search.ended for search in self._searches if search.ended}

    @property
    def _reasons(self) -> dict[str, Reason]:
        """Pool or candidate -> why it ended or was left out."""
        return {**self._ended_searches(), **self._left_out}

    def measure_base(self, bases: Sequence[Candidate]) -> Steps[None]:
        """Measure the base; solo takes part in the race afterwards, if it is to and works."""
        progress = self._progress
        self._base = yield from measure_base(self._options, progress, bases)
        laps = [lap for lap in progress.laps if lap.candidate == self._base]
        if SOLO in bases and (not self._options.pools or "solo" in self._options.pools):
            if self._base == SOLO and not any(lap.lost for lap in laps):
                self._speeds[SOLO] = max(map(speed_of, laps))
                return
            self._left_out[str(SOLO)] = "failures"
        yield from progress.stop(self._base)

    def search_pools(self, cores: int, *, gil: bool) -> Steps[None]:
        """Measure each pool where its model says that the slots and the workers matter."""
        base = [lap for lap in self._progress.laps if lap.candidate == self._base]
        workers = searched_workers(self._options, cores)
        item, base_bytes = item_cost(base), max(lap.peak_memory_bytes for lap in base)
        for pool in self._pools:
            template = self._options.variants.candidates(pool, 1)[0]
            self._searches.append(PoolSearch(template, item, cores, base_bytes, workers, gil))
        if not self._searches:
            return
        searches = list(self._searches)
        if SOLO in self._speeds and not self._options.pools and len(workers) > 1:
            searches.append(PoolSearch(SOLO, item, cores, base_bytes, workers, gil, laps=base))
        yield from Stages(self._options, self._progress, searches).run(self._speeds)
        for search in searches:
            self._speeds.update(search.speeds)
            if search.speeds:
                self._given += self._variants(search)
        self._given += self._neighbour()

    def _neighbour(self) -> list[Candidate]:
        """Half of the slots of the only candidate, since one alone is compared with nothing."""
        if len({*self._speeds, *self._given}) != 1:
            return []
        (only,) = {*self._speeds, *self._given}
        return [replace(only, concurrency=only.concurrency // 2)] if only.concurrency > 1 else []

    def _variants(self, search: PoolSearch) -> list[Candidate]:
        """The other given variants of the best candidate of a search."""
        best = max(search.speeds, key=lambda candidate: search.speeds[candidate])
        variants = self._options.variants
        candidates = variants.candidates(search.pool, best.concurrency)
        if not variants.workers:
            candidates = [replace(candidate, workers=best.workers) for candidate in candidates]
        return [candidate for candidate in candidates if candidate not in search.speeds]

    def measure_given(self) -> Steps[None]:
        """Measure one lap of each given candidate, if not all of them can be finalists."""
        new = [candidate for candidate in self._given if candidate not in self._speeds]
        if len(new) + len(self._speeds) <= MAX_GIVEN and not self._searches:
            self._speeds = dict.fromkeys((*self._speeds, *new), math.inf)
            return
        progress = self._progress
        admitted = []
        left_s = progress.left_s(SEARCH_SHARE) - START_S
        for candidate in new:
            left_s -= LAP_S
            if left_s < 0 or not progress.has_executions_for(candidate):
                self._left_out[str(candidate)] = "time" if left_s < 0 else "executions"
            else:
                admitted.append(candidate)
        started = yield from progress.start(*admitted)
        for candidate in admitted:
            reason: Reason | None = "failures"
            if candidate in started:
                reason = yield from self._measure_given(candidate)
            if reason:
                self._left_out[str(candidate)] = reason
                yield from progress.stop(candidate)

    def _measure_given(self, candidate: Candidate) -> Steps[Reason | None]:
        """Measure one lap of a given candidate; returns the reason if it is left out."""
        lap = yield from self._progress.measure(candidate, "search")
        if self._progress.exceeds_memory([lap]):
            return "memory"
        if lap.lost or not lap.items:
            return "failures"
        self._speeds[candidate] = speed_of(lap)
        return None

    def run_finals(self) -> Steps[None]:
        """Measure the finalists in rounds until they are ranked, or known to be tied.

        Raises ``JobFailed`` if all candidates failed, or exceed the memory limit.
        """
        progress = self._progress
        memory = dict.fromkeys(self._speeds, 0)
        for lap in progress.laps:
            memory[lap.candidate] = max(memory.get(lap.candidate, 0), lap.peak_memory_bytes)
        self._finalists = choose_finalists(self._speeds, memory, self._given)
        if not self._finalists:
            if EARLY_ENDS & {*self._reasons.values()} and not progress.all_lost:
                return  # the base laps are all that there was time for
            raise no_finalists(self._options, self._reasons, progress)
        self._finalists = afford_rounds(
            progress, self._finalists, self._speeds, memory, self._given
        )
        yield from progress.stop(*(c for c in self._speeds if c not in self._finalists))
        too_late = progress.left_s() < START_S + LAP_S
        for candidate in self._finalists:
            if too_late and not progress.is_ready(candidate):
                self._left_out[str(candidate)] = "time"
        ready = [c for c in self._finalists if str(c) not in self._left_out]
        running = yield from progress.start(*ready)
        running = yield from run_rounds(progress, running, self._left_out)
        measured = {lap.candidate for lap in progress.laps}
        for candidate in self._finalists:
            if candidate not in measured:
                reason: Reason = "time" if candidate in running else "failures"
                self._left_out.setdefault(str(candidate), reason)
        finals = [lap for lap in progress.laps if lap.kind == "final"]
        none_started = all(self._left_out.get(str(c)) == "failures" for c in self._finalists)
        if (finals or none_started) and not any(lap.items for lap in finals):
            raise no_finalists(self._options, self._left_out, progress)
