"""Machines that exist in memory only: they answer the requests of a race's strategy."""

import math
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from poolrace.producer.analysis.race_model import CPU_LEFT
from poolrace.producer.race.items import Item
from poolrace.producer.race.lap import QUEUED_FACTOR
from poolrace.producer.race.lap_limits import LapLimits
from poolrace.producer.race.lap_plan import LapPlan
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
from tests.unit.made_up_tasks import Task, flow

CORES = 2
POOLS = ("prefork", "threads", "solo", "gevent")
TARGET = Target("proj", "proj.task", sys.executable, Path("/"))
ITEM = Item(1, [], {})
OPTIONS = RaceOptions(TARGET, [ITEM])

SHORT_LAP_S = 0.5
"""Seconds of a lap below which its speed varies more, with the square root of its length."""

SLOWED = 1.25
"""Factor on all CPU times while the cores are slower."""

STALL_S = 0.7
"""Seconds that a stall of a made-up machine takes, as of a virtual machine whose host is busy."""


@dataclass
class Machine:
    """Answers requests with made-up laps; ``load`` is the number of processes outside the race."""

    task: Task
    draw: random.Random
    load: int = 0
    cores: int = CORES
    noise: float = 0.03
    """Standard deviation of the logarithm of a lap's speed on a quiet machine."""
    stalls: float = 0.0
    """Share of the laps in which the whole machine stands still for ``STALL_S``."""
    taken_s: tuple[float, float] = (math.inf, math.inf)
    """Beginning and end of the time in which something that no process shows takes a core."""
    slowed_s: tuple[float, float] = (math.inf, math.inf)
    """Beginning and end of the time in which the cores are slower, as beside a neighbour's work."""
    unable: Sequence[Candidate] = ()
    """Candidates whose workers do not start."""
    one_port: bool = False
    """Whether all workers listen on the same port, so that only one of them can run."""
    lose: Sequence[Candidate] = ()
    """Candidates whose workers end in each lap."""
    fails_in: Sequence[str] = ()
    """Pools in which every item fails."""
    gives_up_at: float = math.inf
    """Number of laps after which the race is given up."""
    interruption: Interruption = ""
    elapsed_s: float = 0.0
    executions: int = 0
    requests: list[Request] = field(default_factory=list)
    laps: list[Lap] = field(default_factory=list)
    most_bytes: float = 0.0
    """Memory of the candidates that ran at a time, at most."""
    running: dict[Candidate, float] = field(default_factory=dict)
    """Started candidate -> factor on its speed, by chance the same for as long as it runs."""
    limits: LapLimits = field(
        default_factory=lambda: LapLimits(OPTIONS, prefetch=4, deadline=math.inf, cut_short=True)
    )
    """Limits of the laps, those of real races."""

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        started: list[Candidate] = []
        lap = None
        match request:
            case Start(candidates):
                started = self._start(candidates)
            case Measure(candidate, kind, most):
                if len(self.laps) >= self.gives_up_at:
                    raise GivenUp(self.interruption)
                lap = self._lap(candidate, kind, most)
                self.laps.append(lap)
                if lap.lost or lap.cut_short:
                    del self.running[candidate]
            case Stop(candidates):
                self.elapsed_s += 0.3
                for candidate in candidates:
                    del self.running[candidate]
        failures = {candidate: f"{candidate} did not start: no luck" for candidate in self.unable}
        return Answer(self.elapsed_s, self.executions, started, lap, failures)

    def _start(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Start workers; each takes a second of CPU time, and each prefork child a little."""
        assert not self.running.keys() & set(candidates)
        started = [candidate for candidate in candidates if candidate not in self.unable]
        if self.one_port:
            alone = [candidate for candidate in started if candidate.workers == 1]
            started = [] if self.running else alone[:1]
        cpu_s = 0.0
        for candidate in started:
            self.running[candidate] = math.exp(self.draw.gauss(0, 0.035))
            plan = self.limits.warm_up(candidate)
            self.executions += plan.min_items if plan else 0
            children = candidate.slots if candidate.pool == "prefork" else 0
            cpu_s += 0.8 * candidate.workers + 0.02 * children
        memory = (flow(self.task, candidate, self.cores).memory_bytes for candidate in self.running)
        self.most_bytes = max(self.most_bytes, sum(memory))
        self.elapsed_s += 1.5 + cpu_s / max(1, self.cores - self.load)
        return started

    def _lap(self, candidate: Candidate, kind: Kind, most: int | None) -> Lap:
        load = self.load + self._is_within(self.taken_s)
        flows = flow(self._task_now(), candidate, self.cores, load)
        alone_s = self.task.computes + self.task.waits
        laps = sum((lap.candidate, lap.kind) == (candidate, kind) for lap in self.laps)
        plan = self.limits.lap(candidate, kind, 1 + laps, self.executions, most=most)
        usual = flows.speed * self.running[candidate]
        main_share = usual * flows.main_cpu_s / candidate.workers
        queue = flows.running_s > QUEUED_FACTOR * alone_s and main_share < CPU_LEFT
        number = self._items(plan, candidate, usual, queue=queue)
        noise = 0.13 if self.load else self.noise
        noise *= max(1.0, math.sqrt(SHORT_LAP_S * usual / number))
        speed = usual * math.exp(self.draw.gauss(0, noise))
        cut_short = speed < plan.slow_below
        number = min(number, 5 + candidate.slots // 2) if cut_short else number
        wall_s = number / speed
        running_total_s = number * flows.running_s
        if self.stalls and self.draw.random() < self.stalls:
            running_total_s += STALL_S * min(candidate.slots, speed * flows.running_s)
            wall_s += STALL_S
            speed = number / wall_s
        self.elapsed_s += wall_s + flows.running_s
        self.executions += number
        failed = round((1.0 if candidate.pool in self.fails_in else self.task.fails) * number)
        lap = Lap(
            candidate=candidate,
            kind=kind,
            round=1 + laps,
            items=number - failed,
            failures={"ValueError": failed} if failed else {},
            items_per_s=speed * (1 - failed / number),
            wall_s=wall_s,
            waiting_s=[0.1, 0.1, 0.1],
            running_s=[flows.running_s] * 3,
            running_total_s=running_total_s,
            voluntary_switches=10,
            involuntary_switches=10,
            peak_memory_bytes=round(flows.memory_bytes),
            cut_short=cut_short,
            lost=candidate in self.lose,
            traceback="Traceback: no luck" if failed else "",
            own_cpu_s=number * flows.own_cpu_s,
            core_wait_s=number * flows.core_wait_s,
            cpu_s=number * flows.cpu_s,
            main_cpu_s=number * flows.main_cpu_s,
        )
        self.limits.note_durations(candidate, alone_s, alone_s)
        self.limits.note_speed(lap)
        return lap

    def _is_within(self, span_s: tuple[float, float]) -> bool:
        """Whether the race is between these seconds now."""
        return span_s[0] <= self.elapsed_s < span_s[1]

    def _task_now(self) -> Task:
        """The task, with the CPU times that it and its messages take now."""
        if not self._is_within(self.slowed_s):
            return self.task
        task = self.task
        return replace(task, computes=SLOWED * task.computes, messages=SLOWED * task.messages)

    def _items(self, plan: LapPlan, candidate: Candidate, speed: float, *, queue: bool) -> int:
        """Number of items that a lap with this plan runs."""
        alone_s = self.task.computes + self.task.waits
        begun = math.ceil(plan.window_s / alone_s) * candidate.slots
        sent = min(round(speed * plan.window_s), begun, plan.max_items)
        return max(plan.min_items, plan.queued_items if queue else 0, sent)


def run_race(machine: Machine, pools: Sequence[str] = (), **limits: Any) -> Race:
    """The race that the strategy makes of a machine."""
    options = RaceOptions(TARGET, [ITEM], pools, **{"budget_s": 1000.0, **limits})
    fixed = fixed_candidates(pools, options.variants)
    bases = [SOLO, Candidate("prefork", 1)]
    steps = strategy(options, pools_to_search(pools, POOLS), fixed, machine.cores, bases)
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
        cores=machine.cores,
        cores_left=float(max(0, machine.cores - machine.load)),
        max_memory_bytes=options.max_memory_bytes,
        ended=decision.ended,
        left_out=decision.left_out,
        finalists=decision.finalists,
        interruption=decision.interruption,
        budget_s=options.budget_s,
        executions=machine.executions,
    )


def quiet(task: Task) -> Machine:
    return Machine(task, random.Random(0))


__all__ = ["CORES", "MIB", "Machine", "Task", "quiet", "run_race"]
