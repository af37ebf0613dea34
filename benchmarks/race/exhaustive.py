"""The exhaustive measurement of an app's candidates, as requests to start and measure. Pure.

A generator like the strategy of a race: ``producer.race.race`` executes the requests on real
workers, and the tests answer them from a made-up machine. Every candidate of the grid is measured
once, the faster ones a second time, and the fastest ones in turn for the rest of the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.race.grid import (
    ItemCost,
    batches,
    in_order,
    item_cost,
    reason_to_leave_out,
    usable_slots,
)
from benchmarks.race.oracle import Measured
from poolrace.producer.analysis.stats import median
from poolrace.producer.race.base import measure_base
from poolrace.producer.race.no_verdict import base_error
from poolrace.producer.race.options import RaceOptions
from poolrace.producer.race.requests import GivenUp, Progress, Steps
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Kind, Lap
from poolrace.producer.rounds import rotated

BATCH = 8
"""Number of candidates whose workers are started together: starting is mostly CPU time."""

FORKED = Candidate("prefork", 4)
"""Candidate that shows the memory of a child process of prefork."""

ALL_SHARE = 0.6
"""Share of the time after which no further candidate is measured for the first time."""

AGAIN_SHARE = 0.75
"""Share of the time after which no candidate is measured for the second time."""

AGAIN = 0.7
"""Share of the best speed from which a candidate is measured again. Two laps of 2 s of the same
workers differ by less on a quiet machine."""

FINALIST = 0.85
"""Share of the best speed from which a candidate takes part in the final."""

MAX_FINALISTS = 8

FINAL_ROUNDS = 8

PAIRED_ROUNDS = 12
"""Rounds of a comparison of one candidate with the best one. The ratio of two candidates' speeds
within a round varies by 15 % on a virtual machine: the median of 5 rounds differed from that of 12
by up to 6 %."""


@dataclass(frozen=True)
class Exhausted:
    """Result of an exhaustive measurement."""

    cost: ItemCost
    measured: list[Measured]
    left_out: dict[str, str]


def exhaustive(
    options: RaceOptions,
    candidates: Sequence[Candidate],
    cores: int,
    bases: Sequence[Candidate],
    final_rounds: int = FINAL_ROUNDS,
) -> Steps[Exhausted]:
    """Measure the candidates within the time budget of the options.

    Raises ``AllFailed`` or ``JobFailed`` if no item succeeds.
    """
    measurement = _Measurement(options, candidates, cores)
    try:
        yield from measurement.measure_cost(bases)
        yield from measurement.measure_all()
        yield from measurement.measure_again()
        yield from measurement.run_finals(final_rounds)
    except GivenUp:
        pass  # the laps so far count
    return measurement.result()


def in_turn(
    options: RaceOptions, candidates: Sequence[Candidate], rounds: int = PAIRED_ROUNDS
) -> Steps[dict[Candidate, list[Lap]]]:
    """Laps of the candidates in rotated rounds; none of a candidate whose workers fail."""
    progress = Progress(options)
    laps: dict[Candidate, list[Lap]] = {candidate: [] for candidate in candidates}
    try:
        running = yield from progress.start(*candidates)
        for number in range(rounds):
            for candidate in rotated(running, number):
                lap = yield from progress.measure(candidate, "final")
                if lap.lost:
                    laps[candidate] = []
                    running = [other for other in running if other != candidate]
                else:
                    laps[candidate].append(lap)
    except GivenUp:
        return laps  # of the rounds so far
    return laps


class _Measurement:
    """State of an exhaustive measurement between its stages."""

    def __init__(self, options: RaceOptions, candidates: Sequence[Candidate], cores: int) -> None:
        self._options = options
        self._candidates = candidates
        self._cores = cores
        self._progress = Progress(options)
        self._cost: ItemCost | None = None
        self._laps: dict[Candidate, list[Lap]] = {}
        self._left_out: dict[str, str] = {}

    @property
    def cost(self) -> ItemCost:
        """The cost of an item, once it was measured."""
        if self._cost is None:
            raise base_error(self._options, self._progress, gave_up=True)
        return self._cost

    def result(self) -> Exhausted:
        """The laps so far; candidates without a lap lacked the time.

        Raises ``JobFailed`` if the time was over before an item of any candidate succeeded.
        """
        if not self._best_speed():
            raise base_error(self._options, self._progress, gave_up=True)
        for candidate in self._candidates:
            if candidate not in self._laps:
                self._left_out.setdefault(str(candidate), "time")
        measured = [
            Measured(
                candidate,
                peak_memory_bytes=max(lap.peak_memory_bytes for lap in laps),
                search=[lap.items_per_s for lap in laps if lap.kind == "search"],
                final=[lap.items_per_s for lap in laps if lap.kind == "final"],
            )
            for candidate, laps in self._laps.items()
        ]
        return Exhausted(self.cost, measured, self._left_out)

    def measure_cost(self, bases: Sequence[Candidate]) -> Steps[None]:
        """Measure an item that runs alone, and the memory of prefork's children."""
        progress = self._progress
        base = yield from measure_base(self._options, progress, bases)
        alone = [lap for lap in progress.laps if lap.candidate == base and lap.executions]
        yield from progress.stop(base)
        forked: list[Lap] = []
        if any(candidate.pool == FORKED.pool for candidate in self._candidates):
            if (yield from progress.start(FORKED)):
                forked = [(yield from progress.measure(FORKED, "search"))]
            yield from progress.stop(FORKED)
        self._cost = item_cost(alone, forked)

    def measure_all(self) -> Steps[None]:
        """Measure one lap of every candidate that can be among the fastest."""
        waiting = in_order(self._candidates, self.cost, self._cores)
        while waiting := [candidate for candidate in waiting if not self._is_left_out(candidate)]:
            if self._progress.left_s(ALL_SHARE) <= 0:
                return
            batch = self._batches(waiting)[0]
            yield from self._measure_batch(batch)
            waiting = waiting[len(batch) :]

    def measure_again(self) -> Steps[None]:
        """Measure the faster candidates a second time, in another order."""
        usable, best = usable_slots(self.cost, self._cores), self._best_speed()
        again = [
            candidate
            for candidate in self._laps
            if self._speed(candidate) >= (AGAIN if candidate.slots <= usable else 1.0) * best
        ]
        for batch in self._batches(rotated(again, len(again) // 2)):
            if self._progress.left_s(AGAIN_SHARE) <= 0:
                return
            yield from self._measure_batch(batch)

    def run_finals(self, rounds: int) -> Steps[None]:
        """Measure the fastest candidates in turn, in these rounds or until the time is over."""
        progress = self._progress
        running = yield from progress.start(*self._finalists())
        round_s = 0.0
        for number in range(rounds):
            before_s = progress.left_s()
            if before_s < round_s:
                return
            for candidate in rotated(running, number):
                if not (yield from self._measure(candidate, "final")):
                    running = [other for other in running if other != candidate]
            round_s = before_s - progress.left_s()

    def _finalists(self) -> list[Candidate]:
        """The fastest candidates whose workers can run together."""
        enough = FINALIST * self._best_speed()
        chosen: list[Candidate] = []
        for candidate in sorted(self._laps, key=self._speed, reverse=True):
            together = self._batches([*chosen, candidate], MAX_FINALISTS)
            if self._speed(candidate) >= enough and len(together) == 1:
                chosen.append(candidate)
        return chosen

    def _measure_batch(self, batch: Sequence[Candidate]) -> Steps[None]:
        """Start these candidates, measure one lap of each, and stop them."""
        running = yield from self._progress.start(*batch)
        for candidate in batch:
            if candidate in running:
                yield from self._measure(candidate, "search")
            else:
                self._fail(candidate)
        yield from self._progress.stop(*batch)

    def _measure(self, candidate: Candidate, kind: Kind) -> Steps[bool]:
        """Measure a lap; returns whether the candidate works within the memory."""
        lap = yield from self._progress.measure(candidate, kind)
        if lap.lost:
            self._fail(candidate)
        elif self._progress.exceeds_memory([lap]):
            self._laps.pop(candidate, None)
            self._left_out[str(candidate)] = "memory"
        else:
            self._laps.setdefault(candidate, []).append(lap)
        return candidate in self._laps

    def _fail(self, candidate: Candidate) -> None:
        self._laps.pop(candidate, None)
        reason = self._progress.failures.get(candidate, "its workers did not start")
        self._left_out[str(candidate)] = f"failed: {reason}"

    def _is_left_out(self, candidate: Candidate) -> bool:
        """Whether a physical limit excludes the candidate; notes the reason."""
        reason = reason_to_leave_out(
            candidate,
            self.cost,
            cores=self._cores,
            enough=FINALIST * self._best_speed(),
            max_memory_bytes=self._options.max_memory_bytes,
        )
        if reason:
            self._left_out[str(candidate)] = reason
        return reason is not None

    def _batches(self, candidates: Sequence[Candidate], size: int = BATCH) -> list[list[Candidate]]:
        limit = self._options.max_memory_bytes
        return list(batches(candidates, self.cost, size=size, max_memory_bytes=limit))

    def _best_speed(self) -> float:
        return max(map(self._speed, self._laps), default=0.0)

    def _speed(self, candidate: Candidate) -> float:
        return median([lap.items_per_s for lap in self._laps[candidate]])
