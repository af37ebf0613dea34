"""How far the concurrency of a pool is raised: doubling while throughput gains clearly. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Reason

GAIN = 1.15
"""Twice the slots must give so much more; less is not worth them, and noise alone gives 1.1."""

PLAIN = 1.5
"""So much more needs no second look."""

FIRST_BELOW_TOP = 16
"""The first rung is at most so many times below what can be of use at all."""

MOST = 1024
"""No pool gets more slots by itself."""


@dataclass
class Ladder:
    """The concurrencies of a pool, one after the other."""

    pool: str
    rungs: Sequence[Candidate]
    climbed: list[tuple[Candidate, float]] = field(default_factory=list)
    """What was measured and kept, with its speed in items/s; the last one is the best so far."""
    above: tuple[Candidate, float] | None = None
    """What gained too little to go on, with its speed; it may be as fast, or a little faster."""
    ended: Reason | None = None
    _tried: int = 0
    _halved: bool = False

    @property
    def next(self) -> Candidate | None:
        """What to try now, ``None`` if that is over."""
        return None if self.ended else self.rungs[self._tried]

    @property
    def champion(self) -> Candidate | None:
        """The best so far."""
        return self.climbed[-1][0] if self.climbed else None

    @property
    def speed(self) -> float:
        """That of the champion, 0 before there is one."""
        return self.climbed[-1][1] if self.climbed else 0.0

    @property
    def measured(self) -> dict[Candidate, float]:
        """All that came through, with their speeds."""
        return dict([*self.climbed, *([self.above] if self.above else [])])

    def enter(self, speed: float) -> bool:
        """What was tried reached so many items/s; returns whether it is the champion now."""
        candidate = self.rungs[self._tried]
        self._tried += 1
        better = speed >= GAIN * self.speed and speed > 0
        if better:
            self.climbed.append((candidate, speed))
            if self._tried == len(self.rungs):
                self.ended = "memory" if self._halved else "top"
        elif self.climbed:
            self.above, self.ended = (candidate, speed), "gain"
        else:
            self.ended = "failures"
        return better

    def too_large(self) -> None:
        """What was to be tried does not fit into memory; half of it may, if nothing else did."""
        half = self.rungs[self._tried].concurrency // 2
        if self.climbed or not half:
            self.ended = "memory"
            return
        self.rungs = [replace(self.rungs[self._tried], concurrency=half)]
        self._tried, self._halved = 0, True


def rungs(cores: int, useful: float, most: int = MOST) -> list[int]:
    """Numbers of slots to try, ascending.

    ``useful`` is how many slots can be busy at all, from what an item computes and waits. On a
    busy machine more processes than that win cores from others, which is no merit of theirs.
    """
    top = cores
    # With many at a time a message costs less than in the base; a task that computes gets no more.
    room = 0.8 if useful < 2 * cores else 2.0
    while top < room * useful and 2 * top <= most:
        top *= 2
    first = cores
    while first * FIRST_BELOW_TOP < top:
        first *= 2
    numbers = [first]
    while numbers[-1] < top:
        numbers.append(2 * numbers[-1])
    return numbers


def next_rung(ladders: Sequence[Ladder]) -> list[tuple[Ladder, Candidate]]:
    """Whose turn it is, with what to try: those with the fewest slots.

    So that all pools have come equally far when the time is over.
    """
    waiting = [(ladder, ladder.next) for ladder in ladders]
    open_ = [(ladder, candidate) for ladder, candidate in waiting if candidate]
    fewest = min((candidate.slots for _, candidate in open_), default=0)
    return [it for it in open_ if it[1].slots == fewest]
