"""The advice of a verdict is right: real workers are faster with what it says would help.

Candidates run in turn, and the median of the ratios within rounds counts. Each effect is a factor
of about two or more.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from poolrace.producer.analysis.race_limit import HELPS
from poolrace.producer.analysis.race_verdict import Verdict, judge
from poolrace.producer.race.app_info import probe
from poolrace.producer.race.items import Item
from poolrace.producer.race.options import RaceOptions, Target
from poolrace.producer.race.sandbox import open_sandbox
from poolrace.producer.race.session import RaceSession
from poolrace.producer.results.candidate import SOLO, Candidate
from tests.unit.made_up_races import race

APP = '''
import ctypes
import os
import time
from concurrent.futures import ThreadPoolExecutor

from celery import Celery

app = Celery("limits")
service = ThreadPoolExecutor(1)
usleep = ctypes.CDLL(None).usleep


@app.task
def act(kind, amount):
    globals()[kind](amount)


def wait(seconds):
    time.sleep(seconds)


def block(seconds):
    usleep(int(seconds * 1e6))


def compute(rounds):
    sum(i * i for i in range(rounds))


def deliver(number):
    for _ in range(number):
        pass


def serve(seconds):
    """A service that answers one at a time, in the order of the requests."""
    service.submit(time.sleep, seconds).result()
'''

NOISE = 1.15
"""Ratio of two laps of the same workers while they compute; 42 to 61 items/s were measured."""


@dataclass(frozen=True)
class Workers:
    """Started workers of several candidates, which measure any item."""

    session: RaceSession

    def speeds(
        self, kind: str, amount: float, *candidates: Candidate, rounds: int = 2
    ) -> list[list[float]]:
        """Items/s of the candidates, by round; laps of other items are forgotten."""
        self.session.laps.clear()
        self.session.use_items([Item(1, [kind, amount], {})])
        self.session.measure(SOLO, "base")
        return [
            [self.session.measure(candidate, "final").items_per_s for candidate in candidates]
            for _ in range(rounds)
        ]

    def verdict(self, *candidates: Candidate) -> Verdict:
        """The verdict on the laps of these candidates."""
        return judge(
            race([lap for lap in self.session.laps if lap.candidate in {SOLO, *candidates}])
        )


def ratio(rounds: list[list[float]], after: int, before: int) -> float:
    """Median ratio within rounds of one candidate's speed to another's."""
    return median(speeds[after] / speeds[before] for speeds in rounds)


@contextmanager
def started(directory: Path, *candidates: Candidate) -> Iterator[Workers]:
    (directory / "limits.py").write_text(APP)
    target = Target("limits", "limits.act", sys.executable, directory)
    items = [Item(1, ["wait", 0.01], {})]
    options: dict[str, Any] = {"budget_s": 1000.0, "max_executions": sys.maxsize}
    with open_sandbox(None) as sandbox:
        app = probe(target, sandbox, items)
        with RaceSession(RaceOptions(target, items, **options), sandbox, app) as session:
            assert len(session.start([SOLO, *candidates])) == 1 + len(candidates)
            yield Workers(session)


FOUR, SIXTEEN = Candidate("threads", 4), Candidate("threads", 16)
GREENLETS, MORE_GREENLETS = Candidate("gevent", 4), Candidate("gevent", 16)


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    directory = tmp_path_factory.mktemp("limits")
    with started(directory, FOUR, SIXTEEN, GREENLETS, MORE_GREENLETS) as workers:
        yield workers


def test_waiting_more_slots_and_faster_answers_help(workers: Workers) -> None:
    rounds = workers.speeds("wait", 0.2, FOUR, SIXTEEN)
    verdict = workers.verdict(FOUR)
    assert verdict.limited_by == "waiting"
    assert "more slots" in verdict.advice.helps
    assert verdict.advice.helps[1].startswith("faster answers")
    assert ratio(rounds, 1, 0) > HELPS
    faster = workers.speeds("wait", 0.05, FOUR, rounds=1)
    assert median(speeds[0] for speeds in faster) > HELPS * median(speeds[0] for speeds in rounds)


def test_service_faster_answers_help_and_more_slots_do_not(workers: Workers) -> None:
    rounds = workers.speeds("serve", 0.05, FOUR, SIXTEEN, rounds=3)
    verdict = workers.verdict(FOUR, SIXTEEN)
    assert verdict.limited_by == "service", workers.session.laps
    assert verdict.advice.does_not_help == ("more slots",)
    assert ratio(rounds, 1, 0) < HELPS
    faster = workers.speeds("serve", 0.01, FOUR, rounds=1)
    assert median(speeds[0] for speeds in faster) > HELPS * median(speeds[0] for speeds in rounds)


def test_blocking_threads_help_and_more_greenlets_do_not(workers: Workers) -> None:
    rounds = workers.speeds("block", 0.05, GREENLETS, MORE_GREENLETS, FOUR)
    verdict = workers.verdict(GREENLETS)
    assert verdict.limited_by == "blocking"
    assert verdict.advice.helps[0] == "threads or processes instead of greenlets"
    assert verdict.advice.does_not_help == ("more greenlets",)
    assert ratio(rounds, 2, 0) > HELPS
    assert ratio(rounds, 1, 0) < HELPS


def test_broker_larger_items_help(workers: Workers) -> None:
    one = workers.speeds("deliver", 1, FOUR, rounds=1)
    verdict = workers.verdict(FOUR)
    assert verdict.limited_by == "broker"
    assert verdict.advice.helps[0].startswith("larger items")
    ten = workers.speeds("deliver", 10, FOUR, rounds=1)
    assert 10 * median(speeds[0] for speeds in ten) > HELPS * median(speeds[0] for speeds in one)


@pytest.mark.timing
def test_worker_more_worker_processes_help_and_more_slots_do_not(tmp_path: Path) -> None:
    one, more_slots = Candidate("threads", 64), Candidate("threads", 128)
    two = Candidate("threads", 32, workers=2)
    with started(tmp_path, one, more_slots, two) as workers:
        rounds = workers.speeds("wait", 0.02, one, more_slots, two, rounds=3)
        verdict = workers.verdict(one)
    assert verdict.limited_by == "worker", workers.session.laps
    assert verdict.advice.helps == ("more worker processes",)
    assert verdict.advice.does_not_help == ("more slots",)
    assert ratio(rounds, 2, 0) > HELPS
    assert ratio(rounds, 1, 0) < HELPS


@pytest.mark.timing
def test_gil_processes_help_and_for_them_the_cpu_limits_and_more_slots_do_not(
    tmp_path: Path,
) -> None:
    threads, more_threads = Candidate("threads", 2), Candidate("threads", 4)
    processes, more_processes = Candidate("prefork", 2), Candidate("prefork", 4)
    half = Candidate("prefork", 1)
    candidates = threads, more_threads, processes, more_processes, half
    with started(tmp_path, *candidates) as workers:
        rounds = workers.speeds("compute", 300_000, *candidates, rounds=5)
        by_threads, by_processes = workers.verdict(threads), workers.verdict(processes)
    assert (by_threads.limited_by, by_processes.limited_by) == ("gil", "cpu")
    assert by_threads.advice.helps[0] == "processes (prefork)"
    assert by_processes.advice.helps == ("more cores",)
    assert ratio(rounds, 2, 0) > HELPS * NOISE
    assert ratio(rounds, 1, 0) < HELPS * NOISE
    assert ratio(rounds, 3, 2) < HELPS * NOISE
    assert ratio(rounds, 2, 4) > HELPS * NOISE  # a second core for the same task
