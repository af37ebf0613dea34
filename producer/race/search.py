"""Searches the concurrency of a pool: doubles it while throughput gains clearly. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from poolrace.producer.jobs.schedules import MESSAGE_S
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Lap, Reason

MIN_GAIN = 1.15
"""Ratio of speeds that doubling the slots must reach for the search to continue. A smaller gain
is not worth the slots, and noise alone gives 1.1."""

CLEAR_GAIN = 1.5
"""Ratio of speeds that counts as a gain without measuring again."""

MAX_START_FACTOR = 16
"""Ratio of the highest useful concurrency to the first one that is tried, at most."""

MAX_CONCURRENCY = 1024
"""Slots that the search gives to a pool, at most."""


@dataclass
class PoolSearch:
    """Search for the best concurrency of one pool."""

    pool: str
    candidates: Sequence[Candidate]
    """Candidates to try, by ascending concurrency."""
    improvements: list[tuple[Candidate, float]] = field(default_factory=list)
    """Candidates that gained enough, with their speeds in items/s; the last one is the best."""
    without_gain: tuple[Candidate, float] | None = None
    """The candidate that gained too little and ended the search, with its speed; it may be as
    fast as the best one, or a little faster."""
    ended: Reason | None = None
    _position: int = 0
    _reduced: bool = False

    @property
    def next(self) -> Candidate | None:
        """The candidate to try next, ``None`` if the search has ended."""
        return None if self.ended else self.candidates[self._position]

    @property
    def best(self) -> Candidate | None:
        """The best candidate so far."""
        return self.improvements[-1][0] if self.improvements else None

    @property
    def best_speed(self) -> float:
        """Items/s of the best candidate, 0 before there is one."""
        return self.improvements[-1][1] if self.improvements else 0.0

    @property
    def measured(self) -> dict[Candidate, float]:
        """All candidates that were measured, with their speeds in items/s."""
        return dict([*self.improvements, *([self.without_gain] if self.without_gain else [])])

    def record(self, speed: float) -> bool:
        """Record the items/s of the next candidate; returns whether it is the best one now."""
        candidate = self.candidates[self._position]
        self._position += 1
        gained = speed >= MIN_GAIN * self.best_speed and speed > 0
        if gained:
            self.improvements.append((candidate, speed))
            if self._position == len(self.candidates):
                self.ended = "memory" if self._reduced else "top"
        elif self.improvements:
            self.without_gain, self.ended = (candidate, speed), "gain"
        else:
            self.ended = "failures"
        return gained

    def record_again(self, speed: float) -> None:
        """Record the items/s of another lap of the best candidate."""
        candidate, earlier = self.improvements[-1]
        self.improvements[-1] = candidate, max(earlier, speed)

    def reduce(self) -> None:
        """Record that the next candidate needs too much memory.

        Ends the search, or if nothing was measured yet, tries half the concurrency instead.
        """
        half = self.candidates[self._position].concurrency // 2
        if self.improvements or not half:
            self.ended = "memory"
            return
        self.candidates = [replace(self.candidates[self._position], concurrency=half)]
        self._position, self._reduced = 0, True


def useful_slots(base: Sequence[Lap], cores: int) -> float:
    """Number of slots that keep all cores busy, from the computing and waiting of the base laps."""
    running_s = sum(lap.running_total_s - lap.core_wait_s for lap in base)
    least_s = MESSAGE_S * sum(lap.executions for lap in base)
    return cores * max(1.0, running_s / max(sum(lap.cpu_s for lap in base), least_s))


def concurrencies(cores: int, useful: float, largest: int = MAX_CONCURRENCY) -> list[int]:
    """Concurrencies to try, ascending; each is twice the previous one.

    ``useful`` is the number of slots that can be kept busy. On a busy machine, processes beyond
    this number only take cores from other processes, which is no gain from the concurrency.
    """
    top = cores
    # With many items at a time, a message costs less than in the base laps. A CPU-bound task
    # gets no slots beyond its cores.
    tolerance = 0.8 if useful < 2 * cores else 2.0
    while top < tolerance * useful and 2 * top <= largest:
        top *= 2
    first = cores
    while first * MAX_START_FACTOR < top:
        first *= 2
    numbers = [first]
    while numbers[-1] < top:
        numbers.append(2 * numbers[-1])
    return numbers


def next_candidates(searches: Sequence[PoolSearch]) -> list[tuple[PoolSearch, Candidate]]:
    """The searches whose next candidates have the fewest slots, with these candidates.

    With this order all pools have tried about the same concurrencies when the time is used up.
    """
    pending = [(search, search.next) for search in searches]
    unfinished = [(search, candidate) for search, candidate in pending if candidate]
    fewest = min((candidate.slots for _, candidate in unfinished), default=0)
    return [(search, candidate) for search, candidate in unfinished if candidate.slots == fewest]
