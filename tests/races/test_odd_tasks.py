"""Races of tasks and apps with habits that disturb a worker, and races that end early."""

import json
import signal

import pytest

from tests.conftest import PATIENCE_S, CommandLine, wait_until
from tests.races.project import MARK, race, race_processes

APP = """
import sys
import threading
import time

from celery import Celery

app = Celery("proj", broker="amqp://broker.invalid//")
app.conf.update(worker_pool="threads", worker_state_db="state")


@app.task(rate_limit="1/m")
def odd():
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("this runs in a thread")
    import beside_the_app
    time.monotonic = time.thread_time = lambda: 0.0
    leave.delay()


@app.task
def leave():
    sys.exit("enough")


@app.task
def nap(seconds):
    time.sleep(seconds)
"""


@pytest.fixture
def odd_project(producer: CommandLine) -> CommandLine:
    """The command line in the directory of a project with odd tasks."""
    (producer.directory / "proj.py").write_text(APP)
    (producer.directory / "beside_the_app.py").touch()
    producer.variables[MARK] = str(producer.directory)
    return producer


def test_settings_and_habits_of_the_app_do_not_disturb_a_race(odd_project: CommandLine) -> None:
    answer = race(
        odd_project, "proj.odd", "[]\n", "--pool", "prefork:2", "--pool", "solo", "--out", "r.json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert {candidate["pool"] for candidate in answer.json()["candidates"]} == {"prefork", "solo"}
    for candidate in answer.json()["candidates"]:
        assert candidate["failures"] == {}  # neither in a thread, nor without its module
        assert candidate["running_s"]["p50"] > 0  # the clock of the race went on
    assert answer.json()["executions"] > 20  # the rate limit allows one in a minute
    assert list(odd_project.directory.glob("state*")) == []
    assert "without its rate limit of 1/m" in answer.err
    assert "sent other tasks (proj.leave)" in odd_project("report", "r.json").out


def test_a_task_that_ends_its_process_fails_by_the_name_of_the_exception(
    odd_project: CommandLine,
) -> None:
    answer = race(odd_project, "proj.leave", "[]\n", "--pool", "prefork:2")
    assert answer.code == 1
    assert "SystemExit" in answer.err.splitlines()[-1]
    assert "poolrace/producer" not in answer.err
    assert race_processes(odd_project) == []


def test_a_race_whose_items_exceed_the_budget_ends_with_the_way_out(
    odd_project: CommandLine,
) -> None:
    answer = race(odd_project, "proj.nap", "[3600]\n", "--budget-s", "6")
    assert (answer.code, answer.out) == (1, "")
    assert "within the budget of 6 s" in answer.err  # a slow machine starts no worker in this time
    assert "raise --budget-s" in answer.err.splitlines()[-1]
    assert race_processes(odd_project) == []


def test_an_interrupted_race_stores_and_reports_its_laps(odd_project: CommandLine) -> None:
    (odd_project.directory / "items.jsonl").write_text("[0.05]\n")
    process = odd_project.start(
        "race", "-A", "proj", "--task", "proj.nap", "--items", "items.jsonl", "--yes",
        "--pool", "threads:2", "--out", "r.json",
    )  # fmt: skip
    assert process.stderr
    lines = iter(process.stderr)
    assert any("(base 1)" in line for line in lines)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 128 + signal.SIGTERM
    assert "Incomplete: the race was interrupted" in out
    stored = json.loads((odd_project.directory / "r.json").read_text())
    assert (stored["complete"], stored["interruption"]) == (False, "interrupted")
    assert odd_project("report", "r.json").out == out
    wait_until(lambda: race_processes(odd_project) == [])
