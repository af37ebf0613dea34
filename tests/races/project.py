"""A small project of a user, and helpers to race its tasks and read the results."""

from typing import Any

import psutil

from tests.conftest import Answer, CommandLine
from tests.in_process import InProcess

APP = """
import os
import time

from celery import Celery, shared_task

app = Celery("proj", broker=os.environ.get("OWN_BROKER", "amqp://broker.invalid//"),
             backend=os.environ.get("OWN_BACKEND"))
app.conf.task_routes = {"proj.nap": "naps"}


@app.task
def nap(seconds, then=None):
    time.sleep(seconds)


@app.task
def compute(rounds):
    return sum(i * i for i in range(rounds))


@app.task
def nothing(*args, **kwargs):
    return None


@app.task
def fail(message):
    raise ValueError(message)


@app.task(autoretry_for=(ValueError,), retry_backoff=60)
def fail_and_retry(message):
    raise ValueError(message)


@app.task
def large(size):
    return "x" * size


@app.task(name="short.name")
def renamed():
    nap.delay(0)


@shared_task
def shared(a, b):
    return a + b
"""

MARK = "TEST_OF_A_RACE"
"""Environment variable that all processes of a race inherit."""

BUDGET_S = 90
"""Seconds that a race may take, at most. A race ends as soon as its verdict is clear, after 5 to 15
seconds on a quiet machine; a slow and busy machine takes as long for starting one worker."""

QUICK = ("--budget-s", str(BUDGET_S), "--yes", "--json")
"""Options of a race in a test."""


def race(project: CommandLine | InProcess, task: str, items: str, *options: str) -> Answer:
    (project.directory / "items.jsonl").write_text(items)
    return project("race", "-A", "proj", "--task", task, "--items", "items.jsonl", *QUICK, *options)


def by_name(answer: Answer) -> dict[str, dict[str, Any]]:
    """Candidates by name: pool and other options, as in ``prefork workers=2``."""
    assert answer.code == 0, answer.err
    candidates = {}
    for candidate in answer.json()["candidates"]:
        if candidate["pool"] == "solo":
            continue  # the base
        workers = [f"workers={candidate['workers']}"] if candidate["workers"] > 1 else []
        options = [
            f"{name}={candidate[name]}"
            for name in ("prefetch", "max_tasks")
            if candidate[name] is not None
        ]
        candidates[" ".join([candidate["pool"], *workers, *options])] = candidate
    return candidates


def race_processes(project: CommandLine) -> list[str]:
    """Command lines of the processes that the test started and that still run."""
    lines = (_command_line(process, project) for process in psutil.process_iter())
    return [line for line in lines if line]


def _command_line(process: psutil.Process, project: CommandLine) -> str:
    """The command line of a living process of this test, else an empty string."""
    try:
        ours = process.environ().get(MARK) == project.variables[MARK]
        living = process.status() != psutil.STATUS_ZOMBIE
        return " ".join(process.cmdline()) if ours and living else ""
    except psutil.Error:
        return ""  # the process has ended, or belongs to another user
