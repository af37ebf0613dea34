"""Workers that exist in memory only: they answer the requests of an exhaustive measurement."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from poolrace.producer.race.requests import Answer, GivenUp, Measure, Request, Start, Steps, Stop
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Kind, Lap

T = TypeVar("T")

MIB = 2**20
CORES = 2


def lap(
    candidate: Candidate,
    items_per_s: float,
    *,
    kind: Kind = "search",
    item_s: float = 0.1,
    cpu_s: float = 0.001,
    peak_mib: int = 50,
    lost: bool = False,
) -> Lap:
    """A lap of 2 s with these figures; ``item_s`` and ``cpu_s`` are those of one item."""
    items = max(1, round(2 * items_per_s))
    return Lap(
        candidate=candidate,
        kind=kind,
        round=1,
        items=items,
        failures={},
        items_per_s=items_per_s,
        wall_s=2.0,
        waiting_s=[0.0, 0.0, 0.0],
        running_s=[item_s, item_s, item_s],
        running_total_s=item_s * items,
        own_cpu_s=cpu_s * items,
        core_wait_s=0.0,
        cpu_s=cpu_s * items,
        peak_memory_bytes=peak_mib * MIB,
        voluntary_switches=0,
        involuntary_switches=0,
        lost=lost,
    )


@dataclass
class Workers:
    """Workers of a task that waits ``item_s - cpu_s`` and computes ``cpu_s`` per item."""

    item_s: float
    cpu_s: float
    speed: Callable[[Candidate], float]
    unable: frozenset[Candidate] = frozenset()
    """Candidates whose workers do not start."""
    lap_s: float = 2.5
    budget_s: float = 10_000.0
    elapsed_s: float = 0.0
    laps: list[Lap] = field(default_factory=list)
    started: list[list[Candidate]] = field(default_factory=list)
    running: set[Candidate] = field(default_factory=set)
    most_running: int = 0
    """Largest number of candidates that ran at the same time."""

    def run(self, steps: Steps[T]) -> T:
        """Answer all requests; returns the result."""
        try:
            request = next(steps)
            while True:
                try:
                    answer = self._answer(request)
                except GivenUp as end:
                    steps.throw(end)
                request = steps.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result

    def laps_of(self, kind: Kind) -> list[Candidate]:
        """The candidates of the laps of one kind, in their order."""
        return [measured.candidate for measured in self.laps if measured.kind == kind]

    def _answer(self, request: Request) -> Answer:
        ready: list[Candidate] = []
        measured = None
        if self.elapsed_s > self.budget_s:
            raise GivenUp
        match request:
            case Start(candidates):
                self.elapsed_s += 3.0
                self.started.append(list(candidates))
                ready = [candidate for candidate in candidates if candidate not in self.unable]
                self.running.update(ready)
                self.most_running = max(self.most_running, len(self.running))
            case Measure(candidate, kind):
                assert candidate in self.running
                self.elapsed_s += self.lap_s
                children = 10 * candidate.slots if candidate.pool == "prefork" else 0
                measured = lap(
                    candidate,
                    self.speed(candidate),
                    kind=kind,
                    item_s=self.item_s,
                    cpu_s=self.cpu_s,
                    peak_mib=40 * candidate.workers + children,
                )
                self.laps.append(measured)
            case Stop(candidates):
                self.running.difference_update(candidates)
        failures = dict.fromkeys(self.unable, "did not start: no such port")
        return Answer(self.elapsed_s, len(self.laps), ready, measured, failures)
