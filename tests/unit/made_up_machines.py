"""Machines that exist in memory only: they answer the requests of a race's strategy."""

import math
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from poolrace.producer.race.items import Item
from poolrace.producer.race.options import (
    RaceOptions,
    Target,
    fixed_candidates,
    pools_to_search,
)
from poolrace.producer.race.requests import Answer, GivenUp, Measure, Request, Start, Stop
from poolrace.producer.race.strategy import strategy
from poolrace.producer.results.candidate import SOLO, Candidate
from poolrace.producer.results.interruption import Interruption
from poolrace.producer.results.race import Kind, Lap, Race
from tests.unit.made_up_races import MIB, race

CORES = 2
MESSAGE_S = 0.001
POOLS = ("prefork", "threads", "solo", "gevent")
TARGET = Target("proj", "proj.task", sys.executable, Path("/"))
ITEM = Item(1, [], {})


@dataclass(frozen=True)
class Task:
    """Seconds that an item computes and waits, and how it behaves."""

    computes: float
    waits: float = 0.0
    releases_gil: bool = False
    blocks_greenlets: bool = False
    fails: bool = False


@dataclass
class Machine:
    """Answers requests with made-up laps; ``load`` is the number of processes outside the race."""

    task: Task
    draw: random.Random
    load: int = 0
    process_bytes: int = 30 * MIB
    unable: Sequence[Candidate] = ()
    """Candidates whose workers do not start."""
    one_port: bool = False
    """Whether all workers listen on the same port, so that only one candidate can run."""
    lose: Sequence[Candidate] = ()
    """Candidates whose workers end in each lap."""
    gives_up_at: float = math.inf
    """Number of laps after which the race is given up."""
    interruption: Interruption = ""
    elapsed_s: float = 0.0
    requests: list[Request] = field(default_factory=list)
    laps: list[Lap] = field(default_factory=list)
    running: dict[Candidate, float] = field(default_factory=dict)
    """Started candidate -> factor on its speed, by chance the same for as long as it runs."""

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        started: list[Candidate] = []
        lap = None
        match request:
            case Start(candidates):
                self.elapsed_s += 2.0
                assert not self.running.keys() & set(candidates)
                started = [candidate for candidate in candidates if candidate not in self.unable]
                if self.one_port:
                    started = [] if self.running else started[:1]
                for candidate in started:
                    self.running[candidate] = math.exp(self.draw.gauss(0, 0.03))
            case Measure(candidate, kind):
                if len(self.laps) >= self.gives_up_at:
                    raise GivenUp(self.interruption)
                self.elapsed_s += 1.0
                lap = self._lap(candidate, kind)
                self.laps.append(lap)
                if lap.lost:
                    del self.running[candidate]
            case Stop(candidates):
                for candidate in candidates:
                    del self.running[candidate]
        failures = {candidate: f"{candidate} did not start: no luck" for candidate in self.unable}
        return Answer(self.elapsed_s, len(self.laps), started, lap, failures)

    def _speed(self, candidate: Candidate) -> tuple[float, float]:
        """Items/s, and the available share of the cores that the workers could use."""
        busy_s, at_a_time = self.task.computes + MESSAGE_S, candidate.slots
        processes = candidate.concurrency if candidate.pool == "prefork" else 1
        if candidate.pool == "gevent" and self.task.blocks_greenlets:
            at_a_time = candidate.workers
        alone = at_a_time / (busy_s + self.task.waits)
        parallel = candidate.concurrency if self.task.releases_gil else processes
        if candidate.pool == "gevent":
            parallel = 1
        needed = min(alone * busy_s, parallel * candidate.workers)
        share = min(1.0, CORES / (needed + self.load)) if needed + self.load > CORES else 1.0
        most = min(needed * share, CORES) / busy_s
        return min(alone, most), share

    def _lap(self, candidate: Candidate, kind: Kind) -> Lap:
        speed, share = self._speed(candidate)
        noise = 0.13 if self.load else 0.03
        speed *= self.running[candidate] * math.exp(self.draw.gauss(0, noise))
        own_s = speed * self.task.computes
        overlap = min(candidate.slots, speed * (self.task.computes / share + self.task.waits))
        if candidate.pool == "threads" and not self.task.waits:
            overlap = candidate.slots
        processes = candidate.concurrency if candidate.pool == "prefork" else 1
        earlier = [lap for lap in self.laps if (lap.candidate, lap.kind) == (candidate, kind)]
        return Lap(
            candidate=candidate,
            kind=kind,
            round=1 + len(earlier),
            items=0 if self.task.fails else round(speed),
            failures={"ValueError": 100} if self.task.fails else {},
            items_per_s=0.0 if self.task.fails else speed,
            wall_s=1.0,
            waiting_s=[0.1, 0.1, 0.1],
            running_s=[0.1, 0.1, 0.1],
            running_total_s=overlap,
            own_cpu_s=own_s,
            core_wait_s=own_s * (1 / share - 1),
            cpu_s=own_s + speed * MESSAGE_S,
            peak_memory_bytes=30 * MIB + processes * self.process_bytes,
            voluntary_switches=10,
            involuntary_switches=10,
            lost=candidate in self.lose,
            traceback="Traceback: no luck" if self.task.fails else "",
        )


def run_race(machine: Machine, pools: Sequence[str] = (), **limits: Any) -> Race:
    """The race that the strategy makes of a machine."""
    options = RaceOptions(TARGET, [ITEM], pools, **{"budget_s": 1000.0, **limits})
    fixed = fixed_candidates(pools, options.variants)
    bases = [SOLO, Candidate("prefork", 1)]
    steps = strategy(options, pools_to_search(pools, POOLS), fixed, CORES, bases)
    request = next(steps)
    while True:
        try:
            try:
                answer = machine.answer(request)
            except GivenUp as end:
                steps.throw(end)
            request = steps.send(answer)
        except StopIteration as stop:
            decision = stop.value
            break
    return race(
        machine.laps,
        cores_left=float(max(0, CORES - machine.load)),
        max_memory_bytes=options.max_memory_bytes,
        ended=decision.ended,
        left_out=decision.left_out,
        finalists=decision.finalists,
        interruption=decision.interruption,
        budget_s=options.budget_s,
    )


def quiet(task: Task) -> Machine:
    return Machine(task, random.Random(0))
