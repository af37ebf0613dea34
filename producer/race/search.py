"""Searches the slots and the workers of a pool where its model says that they matter. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from poolrace.producer.analysis.item_cost import WAITING, ItemCost, is_blocked, speed_of
from poolrace.producer.analysis.race_model import MAX_SLOTS, PoolModel, fitted
from poolrace.producer.analysis.significance import MOST_MEMORY
from poolrace.producer.race.memory import expected_memory
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Lap, Reason

FIRST_SLOTS = 128
"""Slots of the first candidate of a pool, at most: a service behind the task may refuse more
connections, and processes take seconds to start."""

NEAR_LEVEL = 0.9
"""Share of its level that the searched slots of a pool reach, at least; more slots of prefork take
memory in proportion."""

NEAREST_LEVEL = 0.95
"""The same share for tasks that wait, in pools whose slots take hardly any memory."""

FIRST_NEAR_LEVEL = 0.75
"""Share of its expected level that the first slots of prefork reach, at least: processes take
seconds to start, and the first lap shows whether more of them help."""

GAIN = 1.08
"""Ratio of a predicted speed to the best measured one from which a candidate is measured. Starting
the same workers again changes their speed by 3 to 5 %."""

PLAUSIBLE = (1.1, 1.35)
"""Ratio of a candidate's speed to that of one of its laps, at most, for tasks that wait and for
tasks that compute. A lap on a busy machine shows less of the latter than the model does."""

LEAN_SPEED = 0.88
"""Share of the best speed that a candidate with less memory or fewer slots must promise."""

FAR_LEANER_SPEED = 0.8
"""The same share for a candidate with far less memory: in one of forty races the only lap of the
fastest candidate is 15 % too fast."""

LEAN_MEMORY = 0.75
"""Share of the memory of the leanest fast candidate below which a candidate counts as leaner."""

SAME_MEMORY = 1.05
"""Ratio of two candidates' memory up to which it counts as the same."""

LEAN_SLOTS = 0.5
"""Share of the slots of the fast candidate with the fewest, up to which one with no more memory is
leaner."""

SLOWER = 1.15
"""Ratio of the best speed to a pool's level, above which the pool is out of the race. A lap on a
quiet machine differs by 3 %, and so do workers that are started again."""

Fits = Callable[[Candidate], Reason | None]
"""Function that returns the limit that forbids a candidate, ``None`` if there is none."""


@dataclass(frozen=True)
class Leanest:
    """The least memory and slots of the candidates that are about as fast as the fastest."""

    speed: float
    """Executions/s of the fastest candidate."""
    plausible_speed: float
    """Executions/s that a measured candidate may have on a quiet machine."""
    memory_bytes: float
    slots: int


@dataclass
class PoolSearch:
    """Search for the best slots and number of workers of one pool."""

    template: Candidate
    """Candidate of the pool whose Celery options all candidates have."""
    item: ItemCost
    cores: int
    base_bytes: int
    """Memory of the base's worker."""
    workers: Sequence[int] = (1,)
    """Numbers of workers to consider, ascending; the first one is measured first."""
    gil: bool = True
    laps: list[Lap] = field(default_factory=list)
    ended: Reason | None = None
    _limited: Reason | None = None
    """Limit that kept the first number of workers below the slots that the model wants."""
    _refused: dict[Candidate, Reason] = field(default_factory=dict)
    """Candidates that are out, and why."""

    @property
    def pool(self) -> str:
        """Name of the pool."""
        return self.template.pool

    @property
    def model(self) -> PoolModel:
        """The model of the pool, by all laps so far."""
        return fitted(self.pool, self.item, self.laps, self.cores, gil=self.gil)

    @property
    def speeds(self) -> dict[Candidate, float]:
        """Candidates that may become finalists, with the executions/s of their best laps."""
        speeds: dict[Candidate, float] = {}
        for lap in self.laps:
            if lap.candidate not in self._refused and speed_of(lap):
                speeds[lap.candidate] = max(speed_of(lap), speeds.get(lap.candidate, 0.0))
        return speeds

    def predicted(self, candidate: Candidate) -> float:
        """Executions/s that the model of the pool predicts for a candidate."""
        return self.model.speed(candidate.slots, candidate.workers)

    def first(self, fits: Fits) -> Candidate | None:
        """The first candidate to measure; ends the search if there is none."""
        candidate = self._target(self.model, self.workers[0], fits)
        if candidate is None:
            self.ended = self._limited
        return candidate

    def proposals(self, leanest: Leanest, fits: Fits) -> dict[Candidate, float]:
        """Candidates to measure next, with the executions/s that the model predicts for them.

        They promise to be clearly faster than the fastest so far, or as fast and leaner. Of
        several numbers of workers that promise about the same, the smallest is proposed.
        """
        proposals: dict[Candidate, float] = {}
        for candidate, speed in self.unmeasured(fits).items():
            fastest = max([leanest.plausible_speed, *proposals.values()])
            if speed >= GAIN * fastest or self._is_leaner(candidate, speed, leanest):
                proposals[candidate] = speed
        return proposals

    def unmeasured(self, fits: Fits) -> dict[Candidate, float]:
        """The best candidate without a lap for each useful number of workers, and its speed.

        The speeds are executions/s that the model predicts. Empty if the search has ended.
        """
        if self.ended:
            return {}
        model = self.model
        targets = [self._target(model, each, fits) for each in model.useful_workers(self.workers)]
        return {
            candidate: model.speed(candidate.slots, candidate.workers)
            for candidate in targets
            if candidate and candidate not in self.speeds
        }

    def record(self, lap: Lap, *, exceeds_memory: bool = False) -> None:
        """Record a lap; a pool that fails or is blocked is out after the lap that shows it."""
        if lap.lost or not (lap.items or lap.cut_short):
            self.fail(lap.candidate)
            return
        self.laps.append(lap)
        if exceeds_memory:
            self._refused[lap.candidate] = "memory"
        elif is_blocked(lap, self.item):
            self.ended = "blocked"

    def fail(self, candidate: Candidate) -> None:
        """Record that the workers of a candidate failed or did not start."""
        self._refused[candidate] = "failures"
        if not self.speeds:
            self.ended = "failures"

    def compare(self, best_speed: float) -> None:
        """End the search if no number of slots and workers can come near the best speed."""
        if self.speeds and not self.ended:
            model = self.model
            levels = [model.ceiling(workers) for workers in self.workers]
            if self.pool == "solo":
                levels = [model.speed(workers, workers) for workers in self.workers]
            if SLOWER * max([*levels, *self.speeds.values()]) < best_speed:
                self.ended = "slower"

    def finish(self) -> None:
        """End the search: nothing promises to be better than what was measured."""
        speeds = self.speeds
        if self.ended:
            return
        if self._limited or not speeds:
            self.ended = self._limited or ("slower" if self.laps else "failures")
            return
        fast = LEAN_SPEED * max(speeds.values())
        fewest = min(candidate.slots for candidate in speeds if speeds[candidate] >= fast)
        more = any(candidate.slots > fewest for candidate in speeds)
        self.ended = "gain" if more else "top"

    def plausible_speed(self) -> float:
        """Executions/s that the fastest candidate may have without noise and background load."""
        waits, computes = PLAUSIBLE
        factor = waits if self.item.waiting_share > WAITING else computes
        return max(self._plausible(factor).values(), default=0.0)

    def disturbed(self, best_speed: float) -> list[Candidate]:
        """Candidates to measure again: their only lap was slow, but waited for cores.

        Without that wait they would be clearly faster than the best speed.
        """
        number = Counter(lap.candidate for lap in self.laps)
        speeds = self.speeds
        return [
            candidate
            for candidate, plausible in self._plausible(1.0).items()
            if speeds[candidate] < best_speed
            and plausible > GAIN * best_speed
            and number[candidate] == 1
        ]

    def _plausible(self, factor: float) -> dict[Candidate, float]:
        """Executions/s of each candidate without the waits for cores, and ``factor`` times more.

        The CPU limits them.
        """
        model, speeds = self.model, self.speeds
        for lap in self.laps:
            candidate = lap.candidate
            if candidate in speeds:
                plausible = min(model.ideal(candidate), factor * _without_load(lap))
                speeds[candidate] = max(speeds[candidate], plausible)
        return speeds

    def memory_bytes(self, candidate: Candidate) -> float:
        """Memory that the workers of a candidate take, by the laps so far."""
        return expected_memory(candidate, self.base_bytes, self.laps)

    def _is_leaner(self, candidate: Candidate, speed: float, leanest: Leanest) -> bool:
        memory = self.memory_bytes(candidate)
        far_leaner = MOST_MEMORY * memory < leanest.memory_bytes
        if speed < (FAR_LEANER_SPEED if far_leaner else LEAN_SPEED) * leanest.speed:
            return False
        fewer = candidate.slots <= LEAN_SLOTS * leanest.slots
        return memory < LEAN_MEMORY * leanest.memory_bytes or (
            fewer and memory <= SAME_MEMORY * leanest.memory_bytes
        )

    def _target(self, model: PoolModel, workers: int, fits: Fits) -> Candidate | None:
        """The candidate with the fewest slots that comes near the level, within the limits."""
        limit: Reason | None = None
        target = None
        for slots in reversed(self._slots_up_to_level(model, workers)):
            candidate = replace(self.template, concurrency=-(-slots // workers), workers=workers)
            reason = self._refused.get(candidate)
            if candidate not in self.speeds:
                reason = reason or fits(candidate)
            if not reason:
                target = candidate
                break
            limit = limit or reason
            if reason == "failures":
                break
        if workers == self.workers[0]:
            self._limited = limit
        return target

    def _slots_up_to_level(self, model: PoolModel, workers: int) -> list[int]:
        """Numbers of slots, ascending, up to the first one that comes near the level."""
        if self.pool == "solo":
            return [workers]
        prefork = self.pool == "prefork"
        share = NEAR_LEVEL
        if prefork and not self.laps:
            share = FIRST_NEAR_LEVEL
        elif self.laps and not prefork and self.item.waiting_share > WAITING:
            share = NEAREST_LEVEL
        near = share * model.ceiling(workers)
        least = max(workers, 1 if self.laps else self.cores)
        numbers = [number for number in grid(self.cores) if number >= workers]
        enough = [n for n in numbers if n >= least and model.speed(n, workers) >= near]
        most = min(enough, default=numbers[-1])
        if not self.laps:
            most = min(most, max(FIRST_SLOTS, self.cores))
        return [number for number in numbers if number <= most]


def _without_load(lap: Lap) -> float:
    """Executions/s of a lap if its items had not waited for a core."""
    running_s = lap.running_total_s
    return speed_of(lap) * running_s / max(running_s - lap.core_wait_s, 0.1 * running_s)


def grid(cores: int) -> list[int]:
    """Numbers of slots that are searched: the cores times powers of two, and powers below them."""
    below = [2**power for power in range(cores.bit_length()) if 2**power < cores]
    multiples = [cores * 2**power for power in range(MAX_SLOTS.bit_length())]
    most = max(MAX_SLOTS, cores)
    return [*below, *(number for number in multiples if number < most), most]
