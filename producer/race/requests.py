"""Requests of a race's strategy, and the bookkeeping of their answers. Pure."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from poolrace.producer.race.options import RaceOptions
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Kind, Lap

T = TypeVar("T")


@dataclass(frozen=True)
class Start:
    """Request to start and warm up the workers of several candidates at once."""

    candidates: Sequence[Candidate]


@dataclass(frozen=True)
class Measure:
    """Request to measure one lap of a candidate whose workers run."""

    candidate: Candidate
    kind: Kind


@dataclass(frozen=True)
class Stop:
    """Request to stop the workers of several candidates."""

    candidates: Sequence[Candidate]


Request = Start | Measure | Stop


@dataclass(frozen=True)
class Answer:
    """Result of a request, with the time and the executions used so far."""

    elapsed_s: float
    """Seconds since the race began."""
    executions: int
    """Executions of the task so far, warm-up included."""
    started: Sequence[Candidate] = ()
    """After ``Start``: the candidates whose workers are ready."""
    lap: Lap | None = None
    """After ``Measure``: the lap. If it is lost, the candidate's workers have been stopped."""


Steps = Generator[Request, Answer, T]
"""Generator that yields requests, is sent their answers, and returns a value."""


class Progress:
    """Progress of a race: the laps so far, the running workers, and the rest of the budget."""

    def __init__(self, options: RaceOptions) -> None:
        self.laps: list[Lap] = []
        self.executions = 0
        self._options = options
        self._elapsed_s = 0.0
        self._running: set[Candidate] = set()

    def start(self, *candidates: Candidate) -> Steps[list[Candidate]]:
        """Start those candidates that do not run yet; returns those that run now."""
        missing = [candidate for candidate in candidates if candidate not in self._running]
        if missing:
            answer = yield Start(missing)
            self._note(answer)
            self._running.update(answer.started)
        return [candidate for candidate in candidates if candidate in self._running]

    def measure(self, candidate: Candidate, kind: Kind) -> Steps[Lap]:
        """Measure one lap of a candidate that runs."""
        answer = yield Measure(candidate, kind)
        self._note(answer)
        if answer.lap is None:
            raise ValueError(f"the request to measure {candidate} was answered without a lap")
        self.laps.append(answer.lap)
        if answer.lap.lost:
            self._running.discard(candidate)
        return answer.lap

    def stop(self, *candidates: Candidate) -> Steps[None]:
        """Stop those candidates that run."""
        running = [candidate for candidate in candidates if candidate in self._running]
        if running:
            self._note((yield Stop(running)))
            self._running.difference_update(running)

    def left_s(self, share: float = 1.0) -> float:
        """Seconds left of this share of the time budget."""
        return share * self._options.budget_s - self._elapsed_s

    def has_executions_for(self, candidate: Candidate) -> bool:
        """Whether another lap stays within the number of executions."""
        needed = self._options.min_items(candidate)
        if candidate not in self._running:
            needed += candidate.slots  # for the warm-up
        return self.executions + needed <= self._options.max_executions

    def exceeds_memory(self, laps: Sequence[Lap]) -> bool:
        """Whether one of these laps took more memory than allowed."""
        return max(lap.peak_memory_bytes for lap in laps) > self._options.max_memory_bytes

    def _note(self, answer: Answer) -> None:
        self._elapsed_s, self.executions = answer.elapsed_s, answer.executions
