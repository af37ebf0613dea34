"""The strategy of a race: base, search, finals. Pure: a generator that yields requests.

``strategy`` yields requests to start, measure and stop candidates, is sent an ``Answer`` for each
of them, and returns its ``Decision``. ``race.py`` executes the requests on real workers, the
tests answer them from made-up machines.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from poolrace.producer.analysis.race_gaps import EARLY_ENDS
from poolrace.producer.race.base import LONG_LAP_S, measure_base
from poolrace.producer.race.finals import MAX_FINALISTS, choose_finalists, run_rounds
from poolrace.producer.race.no_verdict import base_error, no_finalists
from poolrace.producer.race.options import RaceOptions
from poolrace.producer.race.requests import GivenUp, Progress, Steps
from poolrace.producer.race.search import (
    CLEAR_GAIN,
    PoolSearch,
    concurrencies,
    next_candidates,
    useful_slots,
)
from poolrace.producer.results.candidate import SOLO, Candidate
from poolrace.producer.results.interruption import Interruption
from poolrace.producer.results.race import Lap, Reason

SEARCH_SHARE = 0.6
"""Share of the time budget that the search may use; the finals get the rest."""

START_S = 3.0
"""Seconds that starting workers takes, roughly; with less time left no candidate is started."""

CHILD_MEMORY = 0.4
"""Share of a solo worker's memory that each prefork child takes, at least; the rest is shared."""

DOUBLED_MEMORY = 1.8
"""Ratio of the memory of a prefork worker to that of one with half the children, at least."""

SEARCH_LAPS = 3
"""Laps of each candidate in the search. The fastest lap counts, since noise only slows."""


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
) -> Steps[Decision]:
    """Race the useful concurrencies of ``pools`` on ``cores`` cores, and the candidates ``fixed``.

    The first of ``bases`` that works measures the base. Raises ``AllFailed`` if no item succeeds,
    ``JobFailed`` if no candidate can be measured. A ``GivenUp`` that is thrown into the generator
    ends the race; its decision is then based on the laps so far.
    """
    run = _Strategy(options, pools, fixed)
    try:
        yield from run.measure_base(bases)
        yield from run.search_pools(cores)
        yield from run.measure_fixed()
        yield from run.run_finals()
    except GivenUp as end:
        run.give_up("interrupted" if end.interruption else "time")
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
        self._fixed = fixed
        self._progress = Progress(options)
        self._base = SOLO
        self._speeds: dict[Candidate, float] = {}
        """Best items/s of each candidate that may become a finalist."""
        self._variants: list[Candidate] = []

    def decision(self, interruption: Interruption = "") -> Decision:
        """The decision that follows from the laps so far."""
        ended = {search.pool: search.ended for search in self._searches if search.ended}
        return Decision(
            finalists=self._finalists,
            left_out=self._left_out,
            ended={**ended, **self._ended},
            interruption=interruption,
        )

    def give_up(self, reason: Reason) -> None:
        """Note the reason for all pools and candidates that were not measured to the end.

        Raises ``JobFailed`` if no item has succeeded.
        """
        laps = self._progress.laps
        if not any(lap.items for lap in laps):
            raise base_error(self._options, self._progress, gave_up=True)
        done = {search.pool for search in self._searches if search.ended}
        self._ended = {pool: reason for pool in self._pools if pool not in done}
        measured = {lap.candidate for lap in laps}
        for candidate in (*self._fixed, *self._variants, *self._finalists):
            if candidate not in measured:
                self._left_out.setdefault(str(candidate), reason)

    def measure_base(self, bases: Sequence[Candidate]) -> Steps[None]:
        """Measure the base; solo takes part in the race afterwards, if it is to and works."""
        progress = self._progress
        self._base = yield from measure_base(self._options, progress, bases)
        laps = [lap for lap in progress.laps if lap.candidate == self._base]
        if SOLO in bases and (not self._options.pools or "solo" in self._options.pools):
            if self._base == SOLO and not any(lap.lost for lap in laps):
                self._speeds[SOLO] = max(lap.items_per_s for lap in laps)
                return
            self._left_out[str(SOLO)] = "failures"
        yield from progress.stop(self._base)

    def search_pools(self, cores: int) -> Steps[None]:
        """Raise the concurrency of each pool while its throughput grows."""
        base = [lap for lap in self._progress.laps if lap.candidate == self._base]
        numbers = concurrencies(cores, useful_slots(base, cores))
        variants = self._options.variants
        for pool in self._pools:
            first_variants = [variants.candidates(pool, number)[0] for number in numbers]
            self._searches.append(PoolSearch(pool, first_variants))
        while step := next_candidates(self._searches):
            yield from self._search_step(step)
        for search in self._searches:
            self._speeds.update(search.measured)
            if search.best:
                same_concurrency = variants.candidates(search.pool, search.best.concurrency)
                self._variants += [
                    candidate for candidate in same_concurrency if candidate != search.best
                ]

    def measure_fixed(self) -> Steps[None]:
        """Measure the given candidates, and other variants of the best candidate of each pool."""
        new = [
            candidate
            for candidate in (*self._fixed, *self._variants)
            if candidate not in self._speeds
        ]
        if len(new) + len(self._speeds) <= MAX_FINALISTS and not self._searches:
            # All candidates become finalists, so the search need not measure them.
            self._speeds = dict.fromkeys((*self._speeds, *new), math.inf)
            return
        for candidate in new:
            if reason := (yield from self._measure_candidate(candidate)):
                self._left_out[str(candidate)] = reason
                yield from self._progress.stop(candidate)

    def run_finals(self) -> Steps[None]:
        """Measure the finalists in rounds until they are ranked, or known to be tied.

        Raises ``JobFailed`` if all candidates failed, or exceed the memory limit.
        """
        self._finalists = choose_finalists(self._speeds)
        progress = self._progress
        if not self._finalists:
            ended = {search.pool: search.ended for search in self._searches}
            reasons = {**ended, **self._left_out}
            if EARLY_ENDS & {*reasons.values()}:
                return  # the base laps are all that there was time for
            raise no_finalists(reasons, progress)
        yield from progress.stop(*(c for c in self._speeds if c not in self._finalists))
        running = yield from progress.start(*self._finalists)
        running = yield from run_rounds(progress, running, self._left_out)
        measured = {lap.candidate for lap in progress.laps}
        for candidate in self._finalists:
            if candidate not in measured:
                reason: Reason = "time" if candidate in running else "failures"
                self._left_out.setdefault(str(candidate), reason)

    def _search_step(self, step: Sequence[tuple[PoolSearch, Candidate]]) -> Steps[None]:
        """Try the next concurrency of several pools; their workers start and stop together."""
        progress = self._progress
        for search, candidate in step:
            search.ended = self._limit_reached(candidate)
            if not search.ended and self._would_exceed_memory(candidate, search.best):
                search.reduce()
        ready = [(search, candidate) for search, candidate in step if search.next == candidate]
        yield from progress.start(*(candidate for _, candidate in ready))
        for search, candidate in ready:
            yield from self._try_candidate(search, candidate)
        tried = [candidate for _, candidate in step]
        tried += [candidate for search, _ in step for candidate, _ in search.improvements]
        best = {search.best for search in self._searches}
        yield from progress.stop(*dict.fromkeys(c for c in tried if c not in best))

    def _try_candidate(self, search: PoolSearch, candidate: Candidate) -> Steps[None]:
        """Measure the next candidate of a search and record its speed."""
        best, clear = search.best, CLEAR_GAIN * search.best_speed
        laps = yield from self._first_laps(candidate, clear)
        if not laps:
            search.ended = "failures"
            return
        if self._progress.exceeds_memory(laps):
            search.reduce()
            return
        speed = max(lap.items_per_s for lap in laps)
        slow = laps[-1].cut_short
        if best and speed < clear and not slow and self._progress.left_s(SEARCH_SHARE) > 0:
            again = yield from self._measure_both_again(best, candidate)
            if again is None:
                search.ended = "failures"
                return
            search.record_again(again[0])
            speed = max(speed, again[1])
        search.record(speed)

    def _measure_both_again(
        self, best: Candidate, candidate: Candidate
    ) -> Steps[tuple[float, float] | None]:
        """Items/s of another lap of both candidates; ``None`` if workers were lost."""
        first = yield from self._progress.measure(best, "search")
        if first.lost:
            return None
        second = yield from self._progress.measure(candidate, "search")
        return None if second.lost or first.cut_short else (first.items_per_s, second.items_per_s)

    def _measure_candidate(self, candidate: Candidate) -> Steps[Reason | None]:
        """Measure the first laps of a candidate; returns the reason if it is left out."""
        if reason := self._limit_reached(candidate):
            return reason
        laps = yield from self._first_laps(candidate)
        if not laps:
            return "failures"
        if self._progress.exceeds_memory(laps):
            return "memory"
        self._speeds[candidate] = max(lap.items_per_s for lap in laps)
        return None

    def _first_laps(self, candidate: Candidate, clear: float = math.inf) -> Steps[list[Lap]]:
        """The first laps of a candidate; none if its workers did not start or were lost.

        Two laps are enough if both reach ``clear`` items/s.
        """
        progress = self._progress
        if not (yield from progress.start(candidate)):
            return []
        laps: list[Lap] = []
        while len(laps) < SEARCH_LAPS:
            laps.append((yield from progress.measure(candidate, "search")))
            if laps[-1].lost:
                return []
            slowest = min(lap.items_per_s for lap in laps)
            enough = laps[-1].wall_s > LONG_LAP_S or slowest >= clear > 0
            if laps[-1].cut_short or (len(laps) > 1 and enough):
                break
            if progress.left_s(SEARCH_SHARE) < 0 or not progress.has_executions_for(candidate):
                break
        return laps

    def _limit_reached(self, candidate: Candidate) -> Reason | None:
        """The limit that forbids measuring the candidate, ``None`` if there is none."""
        if not self._progress.has_executions_for(candidate):
            return "executions"
        return "time" if self._progress.left_s(SEARCH_SHARE) < START_S else None

    def _would_exceed_memory(self, candidate: Candidate, best: Candidate | None) -> bool:
        """Whether the children of a prefork candidate would certainly take too much memory."""
        if candidate.pool != "prefork":
            return False
        reference = best or self._base
        laps = [lap for lap in self._progress.laps if lap.candidate == reference]
        reference_bytes = max(lap.peak_memory_bytes for lap in laps)
        factor = DOUBLED_MEMORY if best else CHILD_MEMORY * candidate.slots
        return factor * reference_bytes > self._options.max_memory_bytes
