"""Reads facts about the user's app in the app's interpreter: its task, pools and settings."""

import difflib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from poolrace.producer.processes.polling import poll_until
from poolrace.producer.race.app_process import NOTHING_LOGGED, PROBE, AppProcess
from poolrace.producer.race.items import Item
from poolrace.producer.race.options import Target
from poolrace.producer.race.sandbox import Sandbox
from poolrace.producer.results.race import TaskSettings
from poolrace.workers.errors import UsageError

PROBE_S = 90.0
"""Seconds that the import of an app may take, at most; the time budget of a race may be less."""

SOURCES = "src"
"""Directory of the packages of a project with a src layout."""


@dataclass(frozen=True)
class AppInfo:
    """Facts of the app and its environment."""

    celery: str
    """Version of Celery."""
    python: str
    """Version of Python."""
    gil: bool
    pools: tuple[str, ...]
    serializer: str
    prefetch: int
    """Celery's prefetch multiplier, as the app sets it."""
    patched: bool
    """Whether its import patches the standard library for gevent: then no other pool starts."""
    settings: TaskSettings
    queue: str | None
    """The queue that the app sends the task to, ``None`` for its default one."""


def probe(
    target: Target, sandbox: Sandbox, items: Sequence[Item], timeout_s: float = PROBE_S
) -> AppInfo:
    """Import the app in its environment, find the task, and bind the items to its signature.

    Raises ``UsageError`` with the reason if one of these steps fails.
    """
    if shutil.which(target.python) is None:
        raise UsageError(
            f"--python {target.python} is not a program; give the path of an interpreter"
        )
    answer = _ask(target, sandbox, items, timeout_s)
    if "error" in answer:
        reason = f"{answer['error']}{_hint(answer, target)}"
        raise UsageError(f"-A {target.app} cannot be loaded: {reason}")
    if answer["redis"]:
        raise UsageError(
            f"the environment of {target.python} cannot connect to Redis, as a race must:"
            f" {answer['redis']}; install celery[redis], or the missing module, there"
        )
    if target.task not in answer["tasks"]:
        raise UsageError(_unknown_task(target, answer["tasks"]))
    if answer["coroutine"]:
        raise UsageError(
            f"--task {target.task} is a coroutine function (async def), which Celery calls and does"
            " not await; give a task that runs the coroutine, as asyncio.run does"
        )
    if answer["misfit"]:
        number, reason = answer["misfit"]
        raise UsageError(
            f"line {items[number].line} of the items: {target.task} cannot be called with this"
            f" item: {reason}"
        )
    facts = {name: answer[name] for name in AppInfo.__dataclass_fields__}
    settings = TaskSettings(**answer["settings"])
    return AppInfo(**{**facts, "pools": tuple(answer["pools"]), "settings": settings})


def _ask(
    target: Target, sandbox: Sandbox, items: Sequence[Item], timeout_s: float
) -> dict[str, Any]:
    """Run the shim's probe and return its answer."""
    process = AppProcess(target, sandbox)
    try:
        directory = process.create_directory()
        answer_file, items_file = directory / "answer", directory / "items"
        items_file.write_text(json.dumps([[item.args, item.kwargs] for item in items]))
        process.start(PROBE, [], {"answer": str(answer_file), "items": str(items_file)})
        if not poll_until(lambda: process.ended, timeout_s):
            enlarge = "raise --budget-s, or " if timeout_s < PROBE_S else ""
            raise UsageError(
                f"-A {target.app} was not imported within {timeout_s:.3g} s;"
                f" {enlarge}make its import faster"
            )
        if not answer_file.exists():
            log = process.log_tail()
            way_out = "; give a Python interpreter as --python" if log == NOTHING_LOGGED else ""
            raise UsageError(f"-A {target.app} cannot be loaded by {target.python}: {log}{way_out}")
        answer: dict[str, Any] = json.loads(answer_file.read_text())
        return answer
    finally:
        process.request_stop(kill=True)  # it has written its answer, or hangs
        process.stop()


def _hint(answer: dict[str, Any], target: Target) -> str:
    """Advice that an error message adds for frequent import errors, else an empty string."""
    if target.app.endswith(".py"):
        return f"; give a module, not a file: -A {target.app[:-3].replace('/', '.')}"
    if "DJANGO_SETTINGS_MODULE" in answer["traceback"]:
        return "; set DJANGO_SETTINGS_MODULE"
    if answer["error"].startswith("AttributeError: module"):
        return "; give the module of the app and its name there, as -A proj.tasks:app"
    if answer["error"].startswith("ModuleNotFoundError"):
        return _missing_module_hint(answer["error"], target)
    return ""


def _missing_module_hint(error: str, target: Target) -> str:
    if error.startswith("ModuleNotFoundError: No module named 'celery'"):
        return f"; install Celery in the environment of {target.python}, or give another --python"
    package = target.app.partition(".")[0].partition(":")[0]
    source = target.directory / SOURCES
    if any(path.exists() for path in (source / package, source / f"{package}.py")):
        return f"; it is in {SOURCES}: run this there, or install it"
    return "; run this in the app's directory, with its interpreter as --python"


def _unknown_task(target: Target, tasks: Sequence[str]) -> str:
    """Error message for an unknown task: lists the tasks with the most similar names."""
    if not tasks:
        return f"-A {target.app} has no task; give the module that defines the tasks"
    by_last_part = {name.rpartition(".")[2]: name for name in tasks}
    last_part = target.task.rpartition(".")[2]
    close = [
        *difflib.get_close_matches(target.task, tasks, n=3, cutoff=0.5),
        *(by_last_part[match] for match in difflib.get_close_matches(last_part, by_last_part)),
    ]
    named = list(dict.fromkeys(close)) or list(tasks)[:5]
    return f"--task {target.task}: {target.app} has no such task; similar: {', '.join(named)}"
