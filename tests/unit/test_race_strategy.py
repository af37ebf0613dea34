"""The strategy of a race on made-up machines, quiet and busy: measurements and decisions."""

import math
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from poolrace.producer.analysis.race_limit import Limit
from poolrace.producer.analysis.race_verdict import Verdict, judge
from poolrace.producer.errors import AllFailed, JobFailed
from poolrace.producer.race.items import Item
from poolrace.producer.race.options import (
    RaceOptions,
    Target,
    Variants,
    fixed_candidates,
    pools_to_search,
)
from poolrace.producer.race.requests import Answer, Measure, Request, Start, Stop
from poolrace.producer.race.strategy import strategy
from poolrace.producer.results.candidate import SOLO, Candidate
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
    elapsed_s: float = 0.0
    requests: list[Request] = field(default_factory=list)
    laps: list[Lap] = field(default_factory=list)
    running: dict[Candidate, float] = field(default_factory=dict)
    """Started candidate -> factor on its speed, by chance the same for as long as it runs."""

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        started, lap = [], None
        match request:
            case Start(candidates):
                self.elapsed_s += 2.0
                assert not self.running.keys() & set(candidates)
                started = [candidate for candidate in candidates if candidate not in self.unable]
                for candidate in started:
                    self.running[candidate] = math.exp(self.draw.gauss(0, 0.03))
            case Measure(candidate, kind):
                self.elapsed_s += 1.0
                lap = self._lap(candidate, kind)
                self.laps.append(lap)
            case Stop(candidates):
                for candidate in candidates:
                    del self.running[candidate]
        return Answer(self.elapsed_s, len(self.laps), started, lap)

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
            traceback="Traceback: no luck" if self.task.fails else "",
        )


def run_race(machine: Machine, pools: Sequence[str] = (), **limits: Any) -> Race:
    """The race that the strategy makes of a machine."""
    options = RaceOptions(TARGET, [ITEM], pools, **{"budget_s": 1000.0, **limits})
    fixed = fixed_candidates(pools, options.variants)
    steps = strategy(options, pools_to_search(pools, POOLS), fixed, CORES)
    request = next(steps)
    while True:
        try:
            request = steps.send(machine.answer(request))
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
    )


def verdicts(task: Task, load: int, number: int = 20) -> list[Verdict]:
    return [judge(run_race(Machine(task, random.Random(seed), load))) for seed in range(number)]


def quiet(task: Task) -> Machine:
    return Machine(task, random.Random(0))


busy_or_not = pytest.mark.parametrize("load", [0, 2])

COMPUTES = Task(0.02)
WAITS = Task(0.0002, 0.1)


@busy_or_not
def test_python_code_that_computes_gets_one_process_per_core(load: int) -> None:
    for verdict in verdicts(COMPUTES, load):
        assert verdict.recommended.candidate == Candidate("prefork", 2)
        assert verdict.limited_by == "cpu"
        assert all(summary.candidate.slots <= 4 for summary in verdict.summaries)


@busy_or_not
def test_code_that_releases_the_gil_gets_threads_since_they_are_cheaper(load: int) -> None:
    results = verdicts(Task(0.02, releases_gil=True), load)
    cheapest = [verdict.cheapest.candidate for verdict in results if verdict.cheapest]
    assert cheapest.count(Candidate("threads", 2)) >= 14
    assert {verdict.limited_by for verdict in results} == {"cpu"}


@busy_or_not
def test_a_task_that_waits_gets_many_slots(load: int) -> None:
    for verdict in verdicts(WAITS, load):
        assert verdict.fastest.candidate.slots >= 64
        assert verdict.limited_by == "waiting"


@busy_or_not
def test_a_call_that_blocks_greenlets_is_reported(load: int) -> None:
    for verdict in verdicts(Task(0.0002, 0.05, blocks_greenlets=True), load):
        assert verdict.limited_by == "blocking"
        assert verdict.fastest.candidate.pool in {"threads", "prefork"}
        assert {summary.candidate.pool for summary in verdict.blocking} == {"gevent"}


@pytest.mark.parametrize(
    ("task", "limit", "fastest"),
    [
        (COMPUTES, "cpu", {"prefork"}),
        (Task(0.02, releases_gil=True), "cpu", {"prefork", "threads"}),
        (Task(0.005, 0.02), "waiting", {"prefork"}),
        (WAITS, "waiting", {"prefork"}),
        (Task(0.0002, 0.05, blocks_greenlets=True), "blocking", {"prefork"}),
    ],
)
def test_races_of_a_task_agree_on_quiet_and_on_busy_machines(
    task: Task, limit: Limit, fastest: set[str]
) -> None:
    both = [*verdicts(task, 0, 12), *verdicts(task, 2, 12)]
    assert {verdict.limited_by for verdict in both} == {limit}
    assert {verdict.fastest.candidate.pool for verdict in both} == fastest


def test_the_last_concurrency_of_a_search_is_a_finalist_although_it_gained_too_little() -> None:
    raced = run_race(quiet(WAITS), ["threads"])
    *_, last = sorted({lap.candidate for lap in raced.laps})
    assert raced.ended == {"threads": "gain"}
    assert last in raced.finalists
    assert last.concurrency // 2 in {finalist.concurrency for finalist in raced.finalists}


def test_a_finalist_that_is_clearly_slower_has_no_further_laps() -> None:
    machine = Machine(Task(0.02, releases_gil=True), random.Random(3), load=2)
    raced = run_race(machine, ["prefork:2", "threads:2", "solo"])
    rounds = {
        finalist: sum(lap.kind == "final" and lap.candidate == finalist for lap in raced.laps)
        for finalist in raced.finalists
    }
    assert rounds[SOLO] < max(rounds.values())
    assert raced.left_out == {}


def test_a_task_that_always_fails_ends_with_its_traceback() -> None:
    with pytest.raises(AllFailed, match="failed for all 200 items") as caught:
        run_race(quiet(Task(0.01, fails=True)))
    assert caught.value.traceback == "Traceback: no luck"


def test_an_app_whose_workers_do_not_start_cannot_be_raced() -> None:
    with pytest.raises(JobFailed, match="no worker of the app starts"):
        run_race(Machine(COMPUTES, random.Random(0), unable=[SOLO]))


def test_a_candidate_whose_workers_do_not_start_is_left_out() -> None:
    absent = Candidate("threads", 4)
    machine = Machine(COMPUTES, random.Random(0), unable=[absent])
    raced = run_race(machine, ["prefork:2", "threads:4"])
    assert raced.left_out == {"threads:4": "failures"}
    assert absent not in {lap.candidate for lap in raced.laps}


def test_memory_ends_the_search_of_a_pool() -> None:
    raced = run_race(quiet(WAITS), ["prefork"], max_memory_bytes=1000 * MIB)
    assert raced.ended == {"prefork": "memory"}
    assert max(lap.peak_memory_bytes for lap in raced.laps) <= 1000 * MIB
    assert judge(raced).limited_by == "memory"


def test_a_race_in_which_not_even_a_few_processes_fit_into_memory_fails() -> None:
    with pytest.raises(JobFailed, match=r"no candidate could be measured: prefork \(memory\)"):
        run_race(quiet(Task(0.01, 0.5)), ["prefork"], max_memory_bytes=10 * MIB)


def test_time_ends_the_search() -> None:
    machine = quiet(WAITS)
    raced = run_race(machine, budget_s=30.0)
    assert "time" in raced.ended.values()
    assert machine.elapsed_s < 45.0


def test_executions_end_the_search() -> None:
    raced = run_race(quiet(WAITS), ["threads"], max_executions=200)
    assert raced.ended == {"threads": "executions"}


def test_given_candidates_are_raced_alone() -> None:
    raced = run_race(quiet(COMPUTES), ["prefork:2", "threads:4"])
    assert raced.finalists == [Candidate("prefork", 2), Candidate("threads", 4)]
    assert {lap.candidate for lap in raced.laps} == {*raced.finalists, SOLO}
    assert judge(raced).distinguishable


def test_a_candidate_without_time_is_left_out() -> None:
    raced = run_race(quiet(COMPUTES), ["prefork:2"], budget_s=4.0)
    assert raced.left_out == {"prefork:2": "time"}
    assert not judge(raced).distinguishable


def test_variants_of_the_best_candidates_are_raced_too() -> None:
    variants = Variants(workers=(1, 2), prefetch=(None, 1))
    raced = run_race(quiet(COMPUTES), ["prefork"], variants=variants)
    assert {lap.candidate for lap in raced.laps} >= {
        Candidate("prefork", 2),
        Candidate("prefork", 2, 1, 1),
        Candidate("prefork", 2, 2),
        Candidate("prefork", 2, 2, 1),
    }
