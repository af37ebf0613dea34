"""One lap with workers that exist in memory only."""

import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from poolrace.producer.race.lap import GRACE_S, LapPlan, measure_lap
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
        return [
            ItemTiming(task_id, now, now + ITEM_S, ITEM_S / 2, 0.0, self.failure, "Traceback")
            for task_id in finished
        ]

    def memory_bytes(self) -> int:
        return 2**20

    def usage(self) -> Usages:
        return {"1": Usage(cpu_s=float(self.sent))}


def measure(workers: Workers, **changes: Any) -> Lap:
    fields = {
        "kind": "search", "round": 1, "first": 0, "window_s": 0.0, "min_items": 5,
        "max_items": 100, "time_limit_s": 1.0, "prefetch": 4,
    }  # fmt: skip
    anything: Any = workers
    return measure_lap(anything, anything, LapPlan(**{**fields, **changes}))


def test_a_lap_without_a_window_runs_the_least_number_of_items() -> None:
    workers = Workers()
    lap = measure(workers)
    assert (lap.items, workers.sent, workers.deleted) == (5, 5, 5)
    assert lap.running_s == [pytest.approx(ITEM_S)] * 3
    assert (lap.cpu_s, lap.peak_memory_bytes, lap.lost) == (5.0, 2**20, False)


def test_a_lap_sends_no_more_items_than_allowed() -> None:
    assert measure(Workers(), window_s=10.0, max_items=40).items == 40


def test_failed_items_are_counted_by_exception() -> None:
    lap = measure(Workers(failure="ValueError"))
    assert (lap.items, lap.failures, lap.executions) == (0, {"ValueError": 5}, 5)
    assert (lap.items_per_s, lap.traceback) == (0.0, "Traceback")


def test_a_lap_whose_workers_end_is_lost() -> None:
    lap = measure(Workers(hangs=True, ended=True))
    assert (lap.lost, lap.failures) == (True, {"WorkerLostError": 2})


def test_a_lap_whose_items_exceed_the_time_limit_is_lost() -> None:
    lap = measure(Workers(hangs=True), time_limit_s=0.1 - GRACE_S)
    assert (lap.lost, lap.failures) == (True, {"TimeLimitExceeded": 2})
