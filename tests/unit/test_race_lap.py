"""One lap with workers that exist in memory only."""

import math
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from poolrace.producer.race import lap as lap_module
from poolrace.producer.race.lap import RunningLap
from poolrace.producer.race.lap_plan import LapPlan
from poolrace.producer.race.requests import GivenUp
from poolrace.producer.race.worker_group import ItemTiming
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.fields import QUANTILES
from poolrace.producer.results.race import Lap
from poolrace.workers.usage import Usage, Usages

ITEM_S = 0.01
THREADS = Candidate("threads", 2)


@dataclass
class Workers:
    """Stands for publisher and worker group: items end at once, as if ``ITEM_S`` had passed."""

    candidate: Candidate = THREADS
    queue: str = "queue"
    failure: str | None = None
    hangs: bool = False
    ended: bool = False
    item_s: float = ITEM_S
    twice: bool = False
    """Whether each item is reported again, as after the end of its process."""
    sent: int = 0
    deleted: int = 0
    queued: list[str] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    """Queue -> number of items that were sent to it."""

    def send(self, queue: str, first: int, number: int) -> list[str]:
        ids = [f"id-{self.sent + offset}" for offset in range(number)]
        self.sent += number
        self.queued += ids
        self.numbers[queue] = self.numbers.get(queue, 0) + number
        return ids

    @property
    def own_queues(self) -> list[str]:
        return [f"queue-{number}" for number in range(self.candidate.workers)]

    def delete_results(self, ids: list[str]) -> None:
        self.deleted += len(ids)

    def read_timings(self, timeout_s: float) -> list[ItemTiming]:
        if self.hangs:
            time.sleep(max(0.0, timeout_s))
            return []
        finished = self.queued[: self.candidate.slots]
        del self.queued[: len(finished)]
        now = time.monotonic()
        timings = [
            ItemTiming(task_id, now, now + self.item_s, ITEM_S / 2, 0.0, self.failure, "Traceback")
            for task_id in finished
        ]
        return timings + timings if self.twice else timings

    def memory_bytes(self) -> int:
        return 2**20

    def usage(self) -> Usages:
        return {"1": Usage(cpu_s=float(self.sent))}

    def main_usage(self) -> Usages:
        return {"1": Usage(cpu_s=self.sent / 5)}


def measure(workers: Workers, **changes: Any) -> Lap:
    fields = {
        "kind": "search", "round": 1, "first": 0, "window_s": 0.0, "min_items": 5,
        "max_items": 100, "patience_s": 5.0, "deadline": math.inf, "prefetch": 4,
    }  # fmt: skip
    anything: Any = workers
    return RunningLap(anything, anything, LapPlan(**{**fields, **changes})).measure()


def test_a_lap_without_a_window_runs_the_least_number_of_items() -> None:
    workers = Workers()
    lap = measure(workers)
    assert (lap.items, workers.sent, workers.deleted) == (5, 5, 5)
    assert lap.running_s == [pytest.approx(ITEM_S)] * 3
    assert (lap.cpu_s, lap.peak_memory_bytes, lap.lost) == (5.0, 2**20, False)
    assert (lap.main_cpu_s, lap.cut_short) == (1.0, False)
    assert lap.running_quantiles_s is not None
    assert lap.waiting_quantiles_s is not None
    assert lap.running_quantiles_s == pytest.approx([ITEM_S] * QUANTILES)
    assert lap.waiting_quantiles_s == sorted(lap.waiting_quantiles_s)
    assert lap.waiting_quantiles_s[0] <= lap.waiting_s[0] <= lap.waiting_quantiles_s[-1]


def test_a_lap_sends_no_more_items_than_allowed() -> None:
    assert measure(Workers(), window_s=10.0, max_items=40).items == 40


def test_failed_items_are_counted_by_exception() -> None:
    lap = measure(Workers(failure="ValueError"))
    assert (lap.items, lap.failures, lap.executions) == (0, {"ValueError": 5}, 5)
    assert (lap.items_per_s, lap.traceback) == (0.0, "Traceback")


def test_a_lap_whose_workers_end_is_lost() -> None:
    lap = measure(Workers(hangs=True, ended=True))
    assert (lap.lost, lap.failures) == (True, {"WorkerLostError": 2})
    assert (lap.waiting_quantiles_s, lap.running_quantiles_s) == (None, None)


def test_a_lap_without_a_finished_item_for_too_long_is_lost() -> None:
    lap = measure(Workers(hangs=True), patience_s=0.1)
    assert (lap.lost, lap.failures) == (True, {"TimeLimitExceeded": 2})


def test_an_item_that_is_reported_twice_counts_once() -> None:
    lap = measure(Workers(twice=True, failure="SystemExit"))
    assert (lap.executions, lap.failures) == (5, {"SystemExit": 5})


def test_a_lap_is_given_up_at_its_deadline() -> None:
    with pytest.raises(GivenUp):
        measure(Workers(hangs=True), deadline=time.monotonic() + 0.1)


def test_a_lap_of_long_items_sends_no_more_than_can_begin_within_its_window() -> None:
    limits = {"window_s": 10.0, "min_items": 1, "max_items": 1000}
    solo = Candidate("solo", 1)
    assert measure(Workers(solo, item_s=20.0), item_s=20.0, **limits).items == 1
    assert measure(Workers(solo, item_s=4.0), item_s=4.0, **limits).items == 3
    # 101: the duration of an item is a difference of two times, so it may be a little shorter.
    assert measure(Workers(solo, item_s=0.1), item_s=4.0, **limits).items in (100, 101)


@pytest.mark.parametrize("of_ended", [{}, {"1": Usage()}])
def test_the_usage_of_workers_that_ended_is_that_of_the_last_check(of_ended: Usages) -> None:
    class Ending(Workers):
        def usage(self) -> Usages:
            return of_ended if self.ended else super().usage()

        def memory_bytes(self) -> int:
            self.ended = self.usages > 1
            self.usages += 1
            return 2**20

        usages = 0

    lap = measure(Ending(hangs=True))
    assert lap.lost
    assert lap.cpu_s == 5.0


@dataclass
class Clock:
    """Stands for the module ``time`` in a lap; it goes on when workers finish items."""

    now: float = 0.0

    def monotonic(self) -> float:
        return self.now


@dataclass
class Blocked(Workers):
    """Workers that run one item at a time, whatever their slots."""

    clock: Clock = field(default_factory=Clock)
    most_in_flight: int = 0

    def read_timings(self, timeout_s: float) -> list[ItemTiming]:
        self.most_in_flight = max(self.most_in_flight, len(self.queued))
        if not self.queued or timeout_s == 0.0:  # the lap asks for what is there already
            return []
        began, task_id = self.clock.now, self.queued.pop(0)
        self.clock.now += self.item_s
        return [ItemTiming(task_id, began, self.clock.now, 0.0, 0.0, self.failure, "")]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of laps, which only workers set."""
    clock = Clock()
    monkeypatch.setattr(lap_module, "time", clock)
    return clock


WIDE: dict[str, Any] = {"window_s": 0.7, "min_items": 129, "max_items": 250, "patience_s": 60.0}
GEVENT = Candidate("gevent", 64)


def test_a_lap_of_a_blocked_worker_ends_early(clock: Clock) -> None:
    lap = measure(Blocked(GEVENT, item_s=0.1, clock=clock), slow_below=90.0, **WIDE)
    assert (lap.cut_short, lap.lost, lap.failures) == (True, False, {})
    assert 1.0 <= clock.now < 1.2
    assert lap.items_per_s == pytest.approx(10.0, rel=0.15)


def test_a_lap_ends_early_only_if_it_is_slower_than_the_plan_asks_for(clock: Clock) -> None:
    lap = measure(Blocked(GEVENT, item_s=0.1, clock=clock), slow_below=9.0, **WIDE)
    assert (lap.cut_short, lap.items) == (False, 129)


def test_a_lap_does_not_end_early_before_each_slot_can_have_finished_an_item(clock: Clock) -> None:
    """Three items of 5 s have ended after 15 s, not before."""
    measure(Blocked(GEVENT, item_s=5.0, clock=clock), slow_below=90.0, **WIDE)
    assert clock.now == pytest.approx(15.0)


def test_a_lap_whose_slots_are_idle_does_not_end_early(clock: Clock) -> None:
    """The last items of a lap say nothing: a single long one may be among them."""
    few = {**WIDE, "min_items": 30, "max_items": 30}
    assert not measure(Blocked(GEVENT, item_s=0.1, clock=clock), slow_below=90.0, **few).cut_short


def test_a_lap_keeps_few_items_in_flight_beyond_the_slots(clock: Clock) -> None:
    one = Blocked(Candidate("prefork", 32), item_s=0.025, clock=clock)
    measure(one, **{**WIDE, "window_s": 5.0})
    assert one.most_in_flight == 32 + 8
    two = Blocked(Candidate("threads", 16, workers=2), item_s=0.025, clock=clock)
    measure(two, **{**WIDE, "window_s": 5.0})
    assert two.most_in_flight == 32 * (1 + 4)


def test_items_that_were_under_way_when_a_lap_ended_early_are_executions(clock: Clock) -> None:
    anything: Any = Blocked(GEVENT, item_s=0.1, clock=clock)
    plan = LapPlan("search", 1, 0, prefetch=4, deadline=math.inf, slow_below=90.0, **WIDE)
    running = RunningLap(anything, anything, plan)
    lap = running.measure()
    assert running.executions == lap.executions + 64


class AllAtOnce(Blocked):
    """Workers whose slots begin their items one millisecond after the other."""

    def read_timings(self, timeout_s: float) -> list[ItemTiming]:
        ids, began = self.queued[: self.candidate.slots], self.clock.now
        del self.queued[: len(ids)]
        self.clock.now += timeout_s
        return [
            ItemTiming(
                task_id, began + n / 1000, began + n / 1000 + self.item_s, 0.0, 0.0, None, ""
            )
            for n, task_id in enumerate(ids)
        ]


def test_the_throughput_of_one_item_per_slot_is_that_of_all_slots(clock: Clock) -> None:
    long = {**WIDE, "min_items": 2, "item_s": 10.0}
    lap = measure(AllAtOnce(THREADS, item_s=10.0, clock=clock), **long)
    assert lap.items == 2
    assert lap.items_per_s == pytest.approx(0.2, rel=0.01)


def test_workers_get_the_same_number_of_items_that_last(clock: Clock) -> None:
    """Of 512 items of 5 s one of two workers fetched nearly all, and the other one was idle."""
    two = Candidate("threads", 32, workers=2)
    shared, even = (AllAtOnce(two, item_s=1.0, clock=clock) for _ in range(2))
    few = {**WIDE, "min_items": 67, "max_items": 67}
    measure(shared, **few)
    measure(even, evenly=True, **few)
    assert shared.numbers == {"queue": 67}
    assert even.numbers == {"queue-0": 34, "queue-1": 33}


@pytest.mark.parametrize(("known_s", "items"), [(1.0, 70), (0.5, 192)])
def test_a_lap_runs_more_items_if_they_take_longer_than_alone(
    clock: Clock, known_s: float, items: int
) -> None:
    few = {**WIDE, "window_s": 0.0, "min_items": 70, "max_items": 70, "queued_items": 192}
    lap = measure(Blocked(GEVENT, item_s=1.0, clock=clock), item_s=known_s, **few)
    assert lap.items == items


def test_a_lap_ends_early_if_the_workers_take_too_much_memory(clock: Clock) -> None:
    large = Blocked(GEVENT, item_s=0.1, clock=clock)
    lap = measure(large, most_bytes=2**20 - 1, **WIDE)
    assert (lap.cut_short, lap.lost, lap.peak_memory_bytes) == (True, False, 2**20)
    assert lap.items < 10
    assert measure(Blocked(GEVENT, item_s=0.1, clock=clock), most_bytes=2**20, **WIDE).items == 129
