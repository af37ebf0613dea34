"""Requests of a race's strategy, and the bookkeeping of their answers. Pure."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from poolrace.producer.race.options import RaceOptions
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.interruption import Interruption
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
    max_items: int | None = None
    """Items of the lap, at most, if its items take long and fewer of them show its throughput."""


@dataclass(frozen=True)
class Stop:
    """Request to stop the workers of several candidates."""

    candidates: Sequence[Candidate]


Request = Start | Measure | Stop


class GivenUp(Exception):
    """The answer to a request that was given up; the race ends, and keeps its laps.

    ``interruption`` is empty if the time budget was used up.
    """

    def __init__(self, interruption: Interruption = "", *, ready: bool = True) -> None:
        """``ready`` is false if the workers of the request were not ready yet."""
        super().__init__(interruption)
        self.interruption: Interruption = interruption
        self.ready = ready


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
    """After ``Measure``: the lap. If it is lost or cut short, the workers have been stopped."""
    failures: Mapping[Candidate, str] = field(default_factory=dict)
    """Candidates whose workers failed so far, and why, in the workers' own words."""


def lost_lap(candidate: Candidate, kind: Kind) -> Lap:
    """A lap of a candidate whose workers did not start."""
    return Lap(
        candidate=candidate,
        kind=kind,
        round=0,
        items=0,
        failures={},
        items_per_s=0.0,
        wall_s=0.0,
        waiting_s=[0.0, 0.0, 0.0],
        running_s=[0.0, 0.0, 0.0],
        running_total_s=0.0,
        own_cpu_s=0.0,
        core_wait_s=0.0,
        cpu_s=0.0,
        peak_memory_bytes=0,
        voluntary_switches=0,
        involuntary_switches=0,
        lost=True,
    )


Steps = Generator[Request, Answer, T]
"""Generator that yields requests, is sent their answers, and returns a value."""


class Progress:
    """Progress of a race: the laps so far, the running workers, and the rest of the budget."""

    def __init__(self, options: RaceOptions) -> None:
        self.laps: list[Lap] = []
        self.executions = 0
        self.failures: Mapping[Candidate, str] = {}
        """Candidates whose workers failed so far, and why."""
        self._options = options
        self._elapsed_s = 0.0
        self._ready: set[Candidate] = set()
        """Candidates that run, or that one after the other can be started again."""
        self._running: set[Candidate] = set()
        self._failed: set[Candidate] = set()
        """Candidates whose workers did not start; they are not started again."""
        self._one_at_a_time: bool | None = None
        """Whether workers start only where no other workers run; ``None``: not yet known."""

    def start(self, *candidates: Candidate) -> Steps[list[Candidate]]:
        """Start those candidates that do not run yet; returns those that are ready now.

        If workers do not start beside others, but do alone, as where each worker opens the same
        port, then from now on a candidate is started for each lap, and the others are stopped.
        """
        known = self._ready | self._failed
        missing = [candidate for candidate in candidates if candidate not in known]
        if missing and not self._one_at_a_time:
            yield from self._start(missing)
            failed = [candidate for candidate in missing if candidate not in self._ready]
            beside = len(self._running) + len(missing) > 1
            # Several workers of one candidate do not start beside each other either.
            single = [candidate for candidate in failed if candidate.workers == 1]
            if single and beside and self._one_at_a_time is None:
                yield from self._start_alone(single[0])
                missing = failed
        if self._one_at_a_time:
            self._failed.difference_update(missing)
            self._ready.update(missing)
        return [candidate for candidate in candidates if candidate in self._ready]

    def measure(self, candidate: Candidate, kind: Kind, max_items: int | None = None) -> Steps[Lap]:
        """Measure one lap of a candidate that is ready."""
        if candidate not in self._running:
            yield from self._stop_running()
            yield from self._start([candidate])
            if candidate not in self._running:
                return lost_lap(candidate, kind)
        answer = yield Measure(candidate, kind, max_items)
        self._note(answer)
        if answer.lap is None:
            raise ValueError(f"the request to measure {candidate} was answered without a lap")
        self.laps.append(answer.lap)
        if answer.lap.lost or answer.lap.cut_short:
            self._running.discard(candidate)
            self._ready.discard(candidate)
        return answer.lap

    def stop(self, *candidates: Candidate) -> Steps[None]:
        """Stop those candidates that run."""
        running = [candidate for candidate in candidates if candidate in self._running]
        if running:
            self._note((yield Stop(running)))
            self._running.difference_update(running)
        self._ready.difference_update(candidates)

    @property
    def all_lost(self) -> bool:
        """Whether the workers ended or hung in every lap that was measured."""
        return all(lap.lost for lap in self.laps)

    def is_ready(self, candidate: Candidate) -> bool:
        """Whether the candidate runs, or can be started for each of its laps."""
        return candidate in self._ready

    def left_s(self, share: float = 1.0) -> float:
        """Seconds left of this share of the time budget."""
        return share * self._options.budget_s - self._elapsed_s

    def has_executions_for(self, *candidates: Candidate) -> bool:
        """Whether another lap of each of them stays within the number of executions."""
        laps = sum(map(self._options.min_items, candidates))
        warm_up = sum(each.slots for each in candidates if each not in self._ready)
        return laps + warm_up <= self.executions_left

    @property
    def executions_left(self) -> int:
        """Number of executions that are left of those that the user allows."""
        return self._options.max_executions - self.executions

    def exceeds_memory(self, laps: Sequence[Lap]) -> bool:
        """Whether one of these laps took more memory than allowed."""
        return max(lap.peak_memory_bytes for lap in laps) > self._options.max_memory_bytes

    def _start(self, candidates: Sequence[Candidate]) -> Steps[None]:
        answer = yield Start(candidates)
        self._note(answer)
        self._running.update(answer.started)
        self._ready.update(answer.started)
        self._failed.update(set(candidates) - set(answer.started))

    def _start_alone(self, candidate: Candidate) -> Steps[None]:
        """Find out whether a candidate that did not start beside others starts alone."""
        ready = set(self._ready)
        yield from self._stop_running()
        yield from self._start([candidate])
        self._one_at_a_time = candidate in self._running
        self._ready = ready | self._running
        if ready and not self._one_at_a_time:
            yield from self._start(sorted(ready))

    def _stop_running(self) -> Steps[None]:
        if self._running:
            self._note((yield Stop(sorted(self._running))))
            self._running.clear()

    def _note(self, answer: Answer) -> None:
        self._elapsed_s, self.executions = answer.elapsed_s, answer.executions
        self.failures = answer.failures
