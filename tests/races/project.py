"""A user's small project, what races in it, and how its answers are read."""

from typing import Any

import psutil

from tests.conftest import Answer, CommandLine

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
"""A variable that everything inherits which a race starts."""

QUICK = ("--budget-s", "15", "--yes", "--json")


def race(project: CommandLine, task: str, items: str, *options: str) -> Answer:
    (project.directory / "items.jsonl").write_text(items)
    return project(
        "race", "-A", "proj", "--task", task, "--items", "items.jsonl", *QUICK, *options,
        timeout_s=100,
    )  # fmt: skip


def named(answer: Answer) -> dict[str, dict[str, Any]]:
    """The candidates by pool and what else was asked for, as in ``prefork workers=2``."""
    assert answer.code == 0, answer.err
    found = {}
    for it in answer.json()["candidates"]:
        if it["pool"] == "solo":
            continue  # the base
        more = [f"{name}={it[name]}" for name in ("prefetch", "max_tasks") if it[name] is not None]
        workers = [f"workers={it['workers']}"] if it["workers"] > 1 else []
        found[" ".join([it["pool"], *workers, *more])] = it
    return found


def what_races(project: CommandLine) -> list[str]:
    """Command lines of whatever the test started, and that still is there."""
    return [line for it in psutil.process_iter() if (line := _line_of(it, project))]


def _line_of(process: psutil.Process, project: CommandLine) -> str:
    try:
        ours = process.environ().get(MARK) == project.variables[MARK]
        living = process.status() != psutil.STATUS_ZOMBIE
        return " ".join(process.cmdline()) if ours and living else ""
    except psutil.Error:
        return ""  # it is gone, or another user's
