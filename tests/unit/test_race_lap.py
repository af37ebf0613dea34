"""One lap with workers that exist in memory only."""

import math
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from poolrace.producer.race.lap import LapPlan, RunningLap
from poolrace.producer.race.requests import GivenUp
from poolrace.producer.race.worker_group import ItemTiming
from poolrace.producer.results.candidate import Candidate
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

    def send(self, queue: str, first: int, number: int) -> list[str]:
        ids = [f"id-{self.sent + offset}" for offset in range(number)]
        self.sent += number
        self.queued += ids
        return ids

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


def test_a_lap_sends_no_more_items_than_allowed() -> None:
    assert measure(Workers(), window_s=10.0, max_items=40).items == 40


def test_failed_items_are_counted_by_exception() -> None:
    lap = measure(Workers(failure="ValueError"))
    assert (lap.items, lap.failures, lap.executions) == (0, {"ValueError": 5}, 5)
    assert (lap.items_per_s, lap.traceback) == (0.0, "Traceback")


def test_a_lap_whose_workers_end_is_lost() -> None:
    lap = measure(Workers(hangs=True, ended=True))
    assert (lap.lost, lap.failures) == (True, {"WorkerLostError": 2})


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


def test_the_usage_of_workers_that_ended_is_that_of_the_last_check() -> None:
    class Ending(Workers):
        def usage(self) -> Usages:
            return {} if self.ended else super().usage()

        def memory_bytes(self) -> int:
            self.ended = self.usages > 1
            self.usages += 1
            return 2**20

        usages = 0

    lap = measure(Ending(hangs=True))
    assert lap.lost
    assert lap.cpu_s == 5.0
