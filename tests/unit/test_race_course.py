"""The course of a race on made-up machines, quiet and busy: what is measured, what comes out."""

import math
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from poolrace.producer.analysis.race_verdict import Verdict
from poolrace.producer.errors import AllFailed, JobFailed
from poolrace.producer.race import race as course_module
from poolrace.producer.race.app_info import App
from poolrace.producer.race.app_process import Target
from poolrace.producer.race.items import Item
from poolrace.producer.race.options import Variants
from poolrace.producer.race.race import Course
from poolrace.producer.race.session import RaceOptions, RaceSession
from poolrace.producer.results.candidate import SOLO, Candidate
from poolrace.producer.results.race import Kind, Lap, Race

CORES = 2
MESSAGE_S = 0.001
MIB = 2**20
APP = App("5.7.0", "3.11.7", True, ("prefork", "threads", "solo", "gevent"), "json", 4, None)
TARGET = Target("proj", "proj.task", sys.executable, Path("/"))


@dataclass(frozen=True)
class Task:
    """What an item takes, in seconds."""

    computes: float
    waits: float = 0.0
    releases_gil: bool = False
    blocks_greenlets: bool = False
    fails: bool = False


@dataclass
class Machine(RaceSession):
    """Takes the place of real workers. ``others`` is how many processes of others compute."""

    task: Task
    draw: random.Random
    others: int = 0
    budget_s: float = 1000.0
    process_bytes: int = 30 * MIB

    def __post_init__(self) -> None:
        self.laps: list[Lap] = []
        self.executions = 0
        self.passed_s = 0.0
        self.cores_left = float(max(0, CORES - self.others))
        self._started: dict[Candidate, float] = {}
        """What workers do by chance for as long as they run, as a factor."""

    def left_s(self, part: float = 1.0) -> float:
        return part * self.budget_s - self.passed_s

    def has_room(self, candidate: Candidate) -> bool:
        return True

    def enlist(self, *candidates: Candidate) -> list[Candidate]:
        self.passed_s += 2.0
        for it in candidates:
            self._started.setdefault(it, math.exp(self.draw.gauss(0, 0.03)))
        return [*candidates]

    def dismiss(self, *candidates: Candidate) -> None:
        for it in candidates:
            self._started.pop(it, None)

    def lap(self, candidate: Candidate, kind: Kind) -> Lap:
        made = 1 + sum(lap.candidate == candidate and lap.kind == kind for lap in self.laps)
        self.passed_s += 1.0
        self.laps.append(self._lap(candidate, kind, made))
        return self.laps[-1]

    def _speed(self, candidate: Candidate) -> tuple[float, float]:
        """Items/s, and the part of the wanted cores that is had."""
        busy_s, at_a_time = self.task.computes + MESSAGE_S, candidate.slots
        processes = candidate.concurrency if candidate.pool == "prefork" else 1
        if candidate.pool == "gevent" and self.task.blocks_greenlets:
            at_a_time = candidate.workers
        alone = at_a_time / (busy_s + self.task.waits)
        parallel = processes if not self.task.releases_gil else candidate.concurrency
        if candidate.pool == "gevent":
            parallel = 1
        wanted = min(alone * busy_s, parallel * candidate.workers)
        got = min(1.0, CORES / (wanted + self.others)) if wanted + self.others > CORES else 1.0
        most = min(wanted * got, CORES) / busy_s
        return min(alone, most), got

    def _lap(self, candidate: Candidate, kind: Kind, number: int) -> Lap:
        speed, got = self._speed(candidate)
        speed *= self._started[candidate]
        speed *= math.exp(self.draw.gauss(0, 0.03 + 0.1 * bool(self.others)))
        own_s = speed * self.task.computes
        overlap = min(candidate.slots, speed * (self.task.computes / got + self.task.waits))
        if candidate.pool == "threads" and not self.task.waits:
            overlap = candidate.slots
        processes = candidate.concurrency if candidate.pool == "prefork" else 1
        return Lap(
            candidate=candidate,
            kind=kind,
            round=number,
            items=0 if self.task.fails else round(speed),
            failures={"ValueError": 100} if self.task.fails else {},
            items_per_s=0.0 if self.task.fails else speed,
            wall_s=1.0,
            waiting_s=[0.1, 0.1, 0.1],
            running_s=[0.1, 0.1, 0.1],
            running_total_s=overlap,
            own_cpu_s=own_s,
            core_wait_s=own_s * (1 / got - 1),
            cpu_s=own_s + speed * MESSAGE_S,
            peak_memory_bytes=30 * MIB + processes * self.process_bytes,
            voluntary_switches=10,
            involuntary_switches=10,
            traceback="Traceback: no luck" if self.task.fails else "",
        )


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course_module, "CORES", CORES)


def raced(
    machine: Machine,
    pools: Sequence[str] = (),
    variants: Variants | None = None,
    max_memory_bytes: int = 2**40,
) -> Race:
    wish = RaceOptions(
        TARGET, [Item(1, [], {})], pools, variants or Variants(), max_memory_bytes=max_memory_bytes
    )
    fixed, searched = course_module._entries(wish, APP)
    found = Course(wish, machine)
    found.base()
    found.search(searched)
    found.measure(fixed)
    found.finals()
    return found.record("2026-01-01T00:00:00+00:00", APP)


def verdicts(task: Task, others: int, number: int = 20) -> list[Verdict]:
    return [Verdict.of(raced(Machine(task, random.Random(seed), others))) for seed in range(number)]


busy_or_not = pytest.mark.parametrize("others", [0, 2])


@busy_or_not
def test_python_that_computes_gets_a_process_a_core(others: int) -> None:
    for found in verdicts(Task(0.02), others):
        assert found.fastest.candidate == Candidate("prefork", 2) or not found.distinguishable
        assert found.limited_by == "cpu"
        assert all(it.candidate.slots <= 4 for it in found.standings)


@busy_or_not
def test_code_without_the_gil_gets_threads_since_they_are_cheaper(others: int) -> None:
    found = verdicts(Task(0.02, releases_gil=True), others)
    assert sum(it.cheapest.candidate == Candidate("threads", 2) for it in found) >= 14
    assert {it.limited_by for it in found} == {"cpu"}


@busy_or_not
def test_a_task_that_waits_gets_many_slots(others: int) -> None:
    for found in verdicts(Task(0.0002, 0.1), others):
        assert found.fastest.candidate.slots >= 64
        assert found.limited_by == "waiting"


@busy_or_not
def test_a_call_that_blocks_greenlets_is_named(others: int) -> None:
    for found in verdicts(Task(0.0002, 0.05, blocks_greenlets=True), others):
        assert found.limited_by == "blocking"
        assert found.fastest.candidate.pool in {"threads", "prefork"}
        assert {it.candidate.pool for it in found.blocking} == {"gevent"}


@pytest.mark.parametrize(
    "task",
    [
        Task(0.02),
        Task(0.02, releases_gil=True),
        Task(0.005, 0.02),
        Task(0.0002, 0.1),
        Task(0.0002, 0.05, blocks_greenlets=True),
    ],
)
def test_races_of_a_task_agree_on_quiet_and_on_busy_machines(task: Task) -> None:
    found = [*verdicts(task, 0, 12), *verdicts(task, 2, 12)]
    assert len({it.fastest.candidate for it in found if it.distinguishable}) <= 1
    assert len({it.limited_by for it in found if it.distinguishable}) <= 1


def test_the_concurrency_that_gained_too_little_is_in_the_finals_too() -> None:
    found = raced(Machine(Task(0.0002, 0.1), random.Random(0)), ["threads"])
    *_, passed_over = sorted({lap.candidate for lap in found.laps})
    assert found.ended == {"threads": "gain"}
    assert passed_over in found.finalists
    assert passed_over.concurrency // 2 in {it.concurrency for it in found.finalists}


def test_a_task_that_always_fails_ends_with_its_traceback() -> None:
    with pytest.raises(AllFailed, match="failed for all 200 items") as caught:
        raced(Machine(Task(0.01, fails=True), random.Random(0)))
    assert caught.value.traceback == "Traceback: no luck"


def test_memory_ends_the_search_of_a_pool() -> None:
    machine = Machine(Task(0.0002, 0.1), random.Random(0))
    found = raced(machine, ["prefork"], max_memory_bytes=1000 * MIB)
    assert found.ended == {"prefork": "memory"}
    assert max(lap.peak_memory_bytes for lap in found.laps) <= 1000 * MIB
    assert Verdict.of(found).limited_by == "memory"


def test_where_not_even_a_few_processes_fit_the_race_says_so() -> None:
    machine = Machine(Task(0.01, 0.5), random.Random(0))
    with pytest.raises(JobFailed, match=r"no candidate came through: prefork \(memory\)"):
        raced(machine, ["prefork"], max_memory_bytes=10 * MIB)


def test_time_ends_the_search_and_says_so() -> None:
    machine = Machine(Task(0.0002, 0.1), random.Random(0), budget_s=30.0)
    found = raced(machine)
    assert "time" in found.ended.values()
    assert machine.passed_s < 45.0


def test_only_what_was_asked_for_is_raced() -> None:
    found = raced(Machine(Task(0.02), random.Random(0)), ["prefork:2", "threads:4"])
    assert found.finalists == [Candidate("prefork", 2), Candidate("threads", 4)]
    assert {lap.candidate for lap in found.laps} == {*found.finalists, SOLO}
    assert Verdict.of(found).distinguishable


def test_who_could_not_be_measured_in_time_is_named() -> None:
    machine = Machine(Task(0.02), random.Random(0), budget_s=4.0)
    found = raced(machine, ["prefork:2"])
    assert found.left_out == {"prefork:2": "time"}
    assert not Verdict.of(found).distinguishable


def test_variants_of_the_champions_are_raced_too() -> None:
    variants = Variants(workers=(1, 2), prefetch=(None, 1))
    found = raced(Machine(Task(0.02), random.Random(0)), ["prefork"], variants)
    assert {lap.candidate for lap in found.laps} >= {
        Candidate("prefork", 2),
        Candidate("prefork", 2, 1, 1),
        Candidate("prefork", 2, 2),
        Candidate("prefork", 2, 2, 1),
    }
