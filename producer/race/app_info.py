"""Asks the user's own interpreter about the app: its task, its pools, whether the items fit."""

import difflib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poolrace.producer.processes.polling import poll_until
from poolrace.producer.race.app_process import AppProcess, Target
from poolrace.producer.race.items import Item
from poolrace.producer.race.sandbox import Sandbox
from poolrace.workers.errors import UsageError

ANSWER_S = 90.0
"""Seconds for an app to be imported."""


@dataclass(frozen=True)
class App:
    """What the environment of the app says."""

    celery: str
    python: str
    gil: bool
    pools: tuple[str, ...]
    serializer: str
    prefetch: int
    """Celery's prefetch multiplier, as the app sets it."""
    queue: str | None
    """The queue that the app sends the task to, ``None`` for its default one."""


def probe(target: Target, place: Sandbox, items: Sequence[Item]) -> App:
    """Import the app there, find the task, bind the items to its signature.

    Raises ``UsageError`` with the reason if any of it fails.
    """
    if shutil.which(target.python) is None:
        raise UsageError(f"--python {target.python} is no program; give an interpreter's path")
    told = _answer(target, place, items)
    if "error" in told:
        raise UsageError(f"-A {target.app} cannot be loaded: {told['error']}{_hint(told)}")
    if told["redis"]:
        raise UsageError(
            f"the environment of {target.python} cannot talk to Redis, which a race needs:"
            f" {told['redis']}; install celery[redis], or what is missing, there"
        )
    if target.task not in told["tasks"]:
        raise UsageError(_unknown(target, told["tasks"]))
    if told["misfit"]:
        number, reason = told["misfit"]
        raise UsageError(
            f"line {items[number].line}: {target.task} cannot be called with it: {reason}"
        )
    fields = {name: told[name] for name in App.__dataclass_fields__}
    return App(**{**fields, "pools": tuple(told["pools"])})


def celery_command(python: str) -> list[str]:
    """``celery``, where typing it means the one of that interpreter; else by way of that one."""
    beside = Path(shutil.which(python) or python).with_name("celery")
    on_path = shutil.which("celery")
    if on_path and Path(on_path) == beside:
        return ["celery"]
    return [python, "-m", "celery"]


def _answer(target: Target, place: Sandbox, items: Sequence[Item]) -> dict[str, Any]:
    asked = AppProcess(target, place, {})
    try:
        answer, calls = asked.directory / "answer", asked.directory / "items"
        calls.write_text(json.dumps([[item.args, item.kwargs] for item in items]))
        asked.add(answer=str(answer), items=str(calls))
        asked.start("probe")
        if not poll_until(lambda: asked.ended, ANSWER_S):
            raise UsageError(f"-A {target.app} was not imported within {ANSWER_S:.0f} s")
        if not answer.exists():
            raise UsageError(f"-A {target.app} cannot be loaded: {asked.last_words()}")
        told: dict[str, Any] = json.loads(answer.read_text())
        return told
    finally:
        asked.stop()


def _hint(told: dict[str, Any]) -> str:
    if "DJANGO_SETTINGS_MODULE" in told["traceback"]:
        return "; set DJANGO_SETTINGS_MODULE"
    if told["error"].startswith("ModuleNotFoundError"):
        return "; is this the app's directory, and its environment (--python)?"
    return ""


def _unknown(target: Target, tasks: Sequence[str]) -> str:
    """The tasks whose names, or whose last parts, are the closest."""
    if not tasks:
        return f"-A {target.app} has no task; give the module that knows them"
    short = {name.rpartition(".")[2]: name for name in tasks}
    close = [
        *difflib.get_close_matches(target.task, tasks, n=3, cutoff=0.5),
        *(short[it] for it in difflib.get_close_matches(target.task.rpartition(".")[2], short)),
    ]
    found = list(dict.fromkeys(close)) or list(tasks)[:5]
    return f"--task {target.task}: {target.app} has no such task; close are {', '.join(found)}"
