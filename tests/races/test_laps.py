"""Laps of real workers: CPU time of main processes, early ends, and the end of the budget."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from poolrace.producer.race.app_info import probe
from poolrace.producer.race.items import Item
from poolrace.producer.race.options import RaceOptions, Target
from poolrace.producer.race.sandbox import open_sandbox
from poolrace.producer.race.session import RaceSession
from poolrace.producer.results.candidate import SOLO, Candidate
from poolrace.producer.results.race import Lap
from tests.conftest import CommandLine
from tests.races.project import MARK, race, race_processes

APP = """
import ctypes
import signal
import sys
import time
from pathlib import Path

from celery import Celery, signals

app = Celery("proj", broker="amqp://broker.invalid//")
libc = ctypes.CDLL(None)


@app.task
def compute(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


@app.task
def sleep_in_c(seconds):
    libc.usleep(int(seconds * 1e6))


@app.task
def hang_beside_solo(seconds):
    if "solo" not in sys.argv:
        for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT):
            libc.signal(int(number), ctypes.c_void_p(1))
        while libc.sleep(int(seconds)) or True:
            pass


@signals.worker_shutdown.connect
def tell(sender, **_):
    Path("shut-down").write_text(sender.hostname)
"""


@contextmanager
def session(project: CommandLine, task: str, item: float) -> Iterator[RaceSession]:
    """A session that races this task of the app with one item."""
    (project.directory / "proj.py").write_text(APP)
    target = Target("proj", f"proj.{task}", sys.executable, project.directory)
    options = RaceOptions(target, [Item(1, [item], {})])
    with open_sandbox(None) as sandbox:
        app = probe(target, sandbox, options.items)
        with RaceSession(options, sandbox, app, cut_short=True) as opened:
            yield opened


def test_the_main_process_computes_the_items_of_all_pools_but_prefork(project: CommandLine) -> None:
    item_s = 0.05  # a message costs 5 ms of the main process on slow, busy cores
    with session(project, "compute", item_s) as opened:
        for pool in ("prefork", "threads", "gevent"):
            candidate = Candidate(pool, 2)
            assert opened.start([candidate]) == [candidate]
            lap = opened.measure(candidate, "search")
            opened.stop([candidate])
            assert lap.items > 0
            assert lap.main_cpu_s is not None
            computed_s = item_s * lap.items
            if pool == "prefork":
                assert 0.0 < lap.main_cpu_s < 0.5 * computed_s <= lap.cpu_s
            else:
                assert computed_s <= lap.main_cpu_s == pytest.approx(lap.cpu_s, abs=0.05)
        assert (project.directory / "shut-down").read_text().endswith("@race")


def assert_in_turn(laps: Sequence[Lap]) -> None:
    """Assert that each lap began after the one before it, and has quantiles of its times."""
    ended_s = 0.0
    for lap in sorted(laps, key=lambda lap: lap.at_s or 0.0):
        assert lap.at_s is not None
        assert lap.running_quantiles_s is not None
        assert lap.at_s > ended_s
        ended_s = lap.at_s + lap.wall_s
        assert lap.running_quantiles_s == sorted(lap.running_quantiles_s)
        assert lap.running_quantiles_s[-1] >= lap.running_s[-1]


def test_a_pool_that_is_blocked_ends_early_and_leaves_nothing_to_later_laps(
    project: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MARK, project.variables[MARK])
    blocked, working = Candidate("gevent", 64), Candidate("threads", 32)
    with session(project, "sleep_in_c", 0.1) as opened:
        opened.start([SOLO, working, blocked])
        opened.measure(SOLO, "base")
        assert not opened.measure(working, "search").cut_short
        began = time.monotonic()
        lap = opened.measure(blocked, "search")
        assert time.monotonic() - began < 64 * 0.1  # a whole lap takes 13 s
        assert (lap.cut_short, lap.lost, lap.failures) == (True, False, {})
        assert lap.items_per_s == pytest.approx(10.0, rel=0.3)
        assert opened.failures == {}
        assert opened.start([blocked]) == [blocked]  # anew: its workers were stopped
        again = opened.measure(working, "search")
        assert (again.failures, again.cut_short) == ({}, False)
        assert len(opened.laps) == 4
        assert_in_turn(opened.laps)
    assert race_processes(project) == []


def test_an_item_that_is_long_is_not_run_again_after_the_warm_up(project: CommandLine) -> None:
    with session(project, "sleep_in_c", 1.0) as opened:
        opened.start([SOLO])
        first = opened.measure(SOLO, "base")
        assert (first.kind, first.round, first.items, opened.executions) == ("base", 1, 1, 1)
        second = opened.measure(SOLO, "base")
        assert (second.round, second.items, opened.executions) == (2, 1, 2)


@pytest.mark.timing
def test_a_race_of_items_that_hang_in_c_and_ignore_signals_ends_in_time(
    project: CommandLine,
) -> None:
    (project.directory / "proj.py").write_text(APP)
    began = time.monotonic()
    answer = race(project, "proj.hang_beside_solo", "[100]\n", "--budget-s", "10")
    assert time.monotonic() - began < 15.0
    assert answer.code == 0, answer.err
    assert not answer.json()["complete"]
    assert race_processes(project) == []
