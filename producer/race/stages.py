"""The stages of the search: each starts and measures candidates of all pools at once. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence

from poolrace.producer.analysis.significance import MARGIN, MOST_MEMORY
from poolrace.producer.race.finals import FINALIST_SHARE
from poolrace.producer.race.lap_limits import LASTING_ITEM_S, LONG_ITEM_S
from poolrace.producer.race.options import RaceOptions
from poolrace.producer.race.requests import Progress, Steps
from poolrace.producer.race.search import GAIN, SLOWER, Leanest, PoolSearch
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Lap, Reason

SEARCH_SHARE = 0.6
"""Share of the time budget that the search may use; the finals get the rest."""

START_S = 3.0
"""Seconds that starting workers takes, roughly; with less time left no candidate is started."""

LAP_S = 1.0
"""Seconds of a lap, at least."""

MAX_STAGES = 4
"""Number of times that the search starts workers, at most; each takes seconds."""

MAX_PROPOSALS = 5
"""Number of candidates that one stage of the search measures after the first, at most."""

MAX_RIVALS = 1
"""Number of candidates that the search measures beside one that is faster than all others."""

HOPELESS = 0.7
"""Share of the predicted speed of another candidate of its pool, below which a candidate is not
measured beside that one: the model would have to be wrong by a tenth for both to be finalists."""

FAST = 0.9
"""Share of the best speed from which a candidate counts as about as fast."""

EXPLAINED = 0.75
"""Share of the speed that the CPU time and the slots of a lap allow, from which they explain it."""


class Stages:
    """The search over several pools, in stages."""

    def __init__(
        self, options: RaceOptions, progress: Progress, searches: Sequence[PoolSearch]
    ) -> None:
        self._options = options
        self._progress = progress
        self._searches = {search.pool: search for search in searches}

    def run(self, others: dict[Candidate, float]) -> Steps[None]:
        """Measure candidates until none promises to be better.

        ``others`` are candidates that were measured before, with their executions/s.
        """
        new = [search for search in self._searches.values() if not search.laps]
        firsts = [search.first(self.limit) for search in new]
        candidates = [candidate for candidate in firsts if candidate]
        speeds = dict(others)
        for _ in range(MAX_STAGES):
            candidates = self._admitted(candidates, max(speeds.values(), default=0.0))
            if not candidates:
                break
            yield from self._measure(candidates)
            yield from self._measure_again(self._speeds(others))
            speeds = self._speeds(others)
            for search in self._searches.values():
                search.compare(max(speeds.values(), default=0.0))
            yield from self._stop_slow(speeds)
            candidates = self._proposals(speeds)
        for search in self._searches.values():
            search.finish()

    def limit(self, candidate: Candidate) -> Reason | None:
        """The limit that forbids measuring the candidate, ``None`` if there is none."""
        if not self._progress.has_executions_for(candidate):
            return "executions"
        search = self._searches.get(candidate.pool)
        if search and search.memory_bytes(candidate) > self._options.max_memory_bytes:
            return "memory"
        return None

    def lap_s(self, candidate: Candidate) -> float:
        """Seconds that a lap of the candidate takes, by the model of its pool."""
        search = self._searches.get(candidate.pool)
        if search is None:
            return LAP_S
        items, item_s = self._options.min_items(candidate), search.item.running_s
        if item_s >= LASTING_ITEM_S and not self._options.repeat_items:
            items = candidate.slots if item_s >= LONG_ITEM_S else 2 * candidate.slots
        return max(LAP_S, items / max(search.predicted(candidate), 1e-9))

    def _admitted(self, candidates: Sequence[Candidate], best_speed: float) -> list[Candidate]:
        """The candidates, in this order, that can be started and measured in the time left.

        The pool of another one ends for lack of time, unless that one was only to be leaner.
        """
        left_s = self._progress.left_s(SEARCH_SHARE) - START_S
        admitted = []
        for candidate in candidates:
            left_s -= self.lap_s(candidate)
            search = self._searches[candidate.pool]
            if left_s >= 0:
                admitted.append(candidate)
            elif not search.laps or search.predicted(candidate) >= GAIN * best_speed:
                search.ended = "time"
        return admitted

    def _measure(self, candidates: Sequence[Candidate]) -> Steps[None]:
        progress = self._progress
        started = yield from progress.start(*candidates)
        for candidate in candidates:
            search = self._searches[candidate.pool]
            if candidate not in started:
                search.fail(candidate)
                continue
            if not progress.has_executions_for(candidate):  # the others of this stage took them
                search.ended = "executions"
                continue
            lap = yield from progress.measure(candidate, "search")
            search.record(lap, exceeds_memory=progress.exceeds_memory([lap]))

    def _measure_again(self, speeds: dict[Candidate, float]) -> Steps[None]:
        """Measure another lap of the candidates that something else may have slowed."""
        best_speed = max(speeds.values(), default=0.0)
        searches = self._searches.values()
        disturbed = [one for search in searches for one in search.disturbed(best_speed)]
        disturbed = list(dict.fromkeys([*disturbed, *self._unexplained(best_speed)]))
        left_s = self._progress.left_s(SEARCH_SHARE) - START_S
        if disturbed and left_s > sum(map(self.lap_s, disturbed)):
            yield from self._measure(disturbed)

    def _unexplained(self, best_speed: float) -> list[Candidate]:
        """Candidates whose only lap was slower than its CPU time and slots explain.

        At the speed that these allow they would be clearly faster than the best speed. A machine
        that stood still for a moment looks like a service that answers slowly; but a service slows
        the candidates of several pools to about the same speed.
        """
        speeds: dict[Candidate, float] = {}
        promising: list[Candidate] = []
        number = Counter(lap.candidate for lap in self._progress.laps)
        for search in self._searches.values():
            model = search.model
            for candidate, speed in search.speeds.items():
                ideal = model.ideal(candidate)
                if search.ended or speed >= EXPLAINED * ideal:
                    continue
                speeds[candidate] = speed
                if number[candidate] == 1 and ideal > GAIN * best_speed:
                    promising.append(candidate)
        return [candidate for candidate in promising if not _is_confirmed(candidate, speeds)]

    def _stop_slow(self, speeds: dict[Candidate, float]) -> Steps[None]:
        """Stop the candidates that cannot become finalists."""
        ordered = sorted(speeds, key=lambda candidate: -speeds[candidate])
        least = FINALIST_SHARE * speeds[ordered[0]] if ordered else 0.0
        useful = {*ordered[:2], *(c for c in ordered if speeds[c] >= least)}
        measured = dict.fromkeys(lap.candidate for lap in self._progress.laps)
        yield from self._progress.stop(*(c for c in measured if c not in useful))

    def _proposals(self, speeds: dict[Candidate, float]) -> list[Candidate]:
        """Candidates of the next stage, the most promising first."""
        leanest = self._leanest(speeds)
        proposals: dict[Candidate, float] = {}
        for search in self._searches.values():
            proposals.update(search.proposals(leanest, self.limit))
        useful = [one for one in proposals if not self._is_outweighed(one, proposals)]
        ordered = sorted(useful, key=lambda candidate: -proposals[candidate])[:MAX_PROPOSALS]
        return ordered or self._rivals(speeds)

    def _rivals(self, speeds: Mapping[Candidate, float]) -> list[Candidate]:
        """Candidates that may be as fast as the fastest one, if none of those measured may.

        The finals would compare it with a slow candidate only, although the costs of the pools are
        not known well enough to tell by the model which of two is 10 % faster.
        """
        best_speed = max(speeds.values(), default=0.0)
        if sum(speed >= FINALIST_SHARE * best_speed for speed in speeds.values()) > 1:
            return []
        predicted: dict[Candidate, float] = {}
        for search in self._searches.values():
            predicted.update(search.unmeasured(self.limit))
        near = [one for one in predicted if predicted[one] >= (1 - MARGIN) * best_speed]
        return sorted(near, key=lambda candidate: -predicted[candidate])[:MAX_RIVALS]

    def _is_outweighed(self, candidate: Candidate, proposals: Mapping[Candidate, float]) -> bool:
        """Whether another proposal is nearly as fast with far less memory, or of the same pool and
        so fast that the candidate would not be a finalist.

        If that one turns out to be slower, the candidate is proposed again.
        """
        memory = {one: self._searches[one.pool].memory_bytes(one) for one in proposals}
        return any(
            (
                memory[candidate] > MOST_MEMORY * memory[other]
                and (1 - MARGIN) * proposals[candidate] < proposals[other]
            )
            or (candidate.pool == other.pool and proposals[candidate] < HOPELESS * proposals[other])
            for other in proposals
        )

    def _leanest(self, speeds: dict[Candidate, float]) -> Leanest:
        best = max(speeds.values(), default=0.0)
        fast = [lap for lap in self._progress.laps if _is_fast(lap, speeds, best)]
        return Leanest(
            speed=best,
            plausible_speed=max(
                best, *(search.plausible_speed() for search in self._searches.values())
            ),
            memory_bytes=min((lap.peak_memory_bytes for lap in fast), default=float("inf")),
            slots=min((lap.candidate.slots for lap in fast), default=2**30),
        )

    def _speeds(self, others: dict[Candidate, float]) -> dict[Candidate, float]:
        speeds = dict(others)
        for search in self._searches.values():
            speeds.update(search.speeds)
        return speeds


def searched_workers(options: RaceOptions, cores: int) -> tuple[int, ...]:
    """Numbers of workers that the search considers: one, two, and one per core.

    If numbers are given, only the first one; the best candidate then races with all of them.
    """
    if options.variants.workers:
        return tuple(options.variants.workers[:1])
    return tuple(sorted({1, min(2, cores), cores}))


def _is_confirmed(candidate: Candidate, speeds: Mapping[Candidate, float]) -> bool:
    """Whether a candidate of another pool has about the same speed."""
    speed = speeds[candidate]
    return any(
        other.pool != candidate.pool and speed / SLOWER <= speeds[other] <= SLOWER * speed
        for other in speeds
    )


def _is_fast(lap: Lap, speeds: dict[Candidate, float], best: float) -> bool:
    return speeds.get(lap.candidate, 0.0) >= FAST * best
