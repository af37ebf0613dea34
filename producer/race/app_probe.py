"""The probe: reads facts of the user's app in the app's own environment, and writes them to a file.

It is copied beside the shim, as ``poolrace_probe.py``, and needs no more than the shim does.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import sys
import threading
import traceback
import weakref
from pathlib import Path
from typing import Any

from poolrace_settings import (  # type: ignore[import-not-found] # it is copied beside this file
    CONFIG,
    own_app,
    replaced_app,
)
from poolrace_shim import (  # type: ignore[import-not-found] # as above
    import_as_printed_command,
)


def probe() -> dict[str, Any]:
    """Facts of the app, its environment, its task and the items."""
    import celery  # noqa: PLC0415 # if it is missing, the answer says so

    eager = _is_eager()
    app = replaced_app()
    app.loader.import_default_modules()
    app.finalize()
    tasks = sorted(name for name in app.tasks if not name.startswith("celery."))
    facts = {
        "celery": celery.__version__,
        "python": ".".join(map(str, sys.version_info[:3])),
        "gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
        "pools": _pools(),
        "redis": _without_redis(),
        "tasks": tasks,
        "serializer": app.conf.task_serializer,
        "prefetch": app.conf.worker_prefetch_multiplier,
        "patched": _is_patched(),
    }
    if CONFIG["task"] not in app.tasks:
        return facts
    task = app.tasks[CONFIG["task"]]
    own = {"queue": task.queue} if getattr(task, "queue", None) else {}
    route = app.amqp.router.route(own, CONFIG["task"]).get("queue")
    queue = getattr(route, "name", route)
    items = json.loads(Path(CONFIG["items"]).read_text())
    return {
        **facts,
        "queue": None if queue == app.conf.task_default_queue else queue,
        "serializer": task.serializer or facts["serializer"],
        "settings": {
            "worker_pool": app.conf.worker_pool,
            "acks_late": bool(task.acks_late),
            "prefetch": app.conf.worker_prefetch_multiplier,
            "rate_limit": None if task.rate_limit is None else str(task.rate_limit),
            "eager": eager,
            "soft_time_limit_s": task.soft_time_limit or app.conf.task_soft_time_limit,
            "process_init": _process_init(),
        },
        "coroutine": _is_coroutine(task),
        "misfit": _first_invalid_item(task, items),
    }


def _is_eager() -> bool:
    """Whether the app sets ``task_always_eager``, which the race replaces."""
    return bool(own_app().conf.task_always_eager)


def _process_init() -> list[str]:
    """Names of the functions that the app connects to the signal ``worker_process_init``."""
    from celery.signals import worker_process_init  # noqa: PLC0415 # after gevent has patched

    functions = (
        receiver() if isinstance(receiver, weakref.ref) else receiver
        for _, receiver in worker_process_init.receivers or ()
    )
    return [
        f"{function.__module__}.{getattr(function, '__qualname__', type(function).__qualname__)}"
        for function in functions
        if function is not None
    ]


def _is_patched() -> bool:
    """Whether the import of the app has patched the standard library for gevent."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and monkey.is_module_patched("socket")


def _is_coroutine(task: Any) -> bool:
    """Whether Celery would call the task and get a coroutine, which it does not await."""
    from celery.app.task import Task  # noqa: PLC0415 # after gevent has patched

    run = getattr(task, "_orig_run", task.run)  # autoretry_for wraps it
    calls_it_itself = type(task).__call__ is not Task.__call__
    return inspect.iscoroutinefunction(run) and not calls_it_itself


def _pools() -> list[str]:
    """The pools whose workers start in this environment."""
    if _is_patched():
        return ["gevent"]  # a worker of another pool never gets ready
    return [*("prefork", "threads", "solo"), *(["gevent"] if _has("gevent") else [])]


def _without_redis() -> str | None:
    """Reason why the environment cannot connect to Redis, ``None`` if it can."""
    try:
        importlib.import_module("kombu.transport.redis")
        importlib.import_module("celery.backends.redis")
    except ImportError as error:
        return str(error)
    return None if _has("redis") else "No module named 'redis'"


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _first_invalid_item(
    task: Any, items: list[tuple[list[Any], dict[str, Any]]]
) -> tuple[int, str] | None:
    """Index of the first item that does not fit the signature of the task, and the reason."""
    if not getattr(task, "typing", True):
        return None  # Celery does not check either: the task may fill in arguments itself
    try:
        signature = inspect.signature(task.run)
    except (TypeError, ValueError):
        return None  # a task written in C may have no signature
    for number, (args, kwargs) in enumerate(items):
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            return number, str(error)
    return None


def _cause(error: BaseException) -> BaseException:
    """The error, or that of a missing attribute after which Celery imports ``proj:app`` itself."""
    attribute = ":" in CONFIG["app"] and getattr(error, "name", None) == CONFIG["app"]
    return (attribute and error.__context__) or error


def _place(error: BaseException) -> str:
    """The line of the app at which the error was raised, in brackets; empty if it is elsewhere."""
    directory = f"{os.getcwd()}{os.sep}"  # noqa: PTH109 # frames have strings
    places = [
        f" ({frame.filename[len(directory) :]}, line {frame.lineno})"
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith(directory)
        and "site-packages" not in frame.filename
        and os.path.dirname(frame.filename) != os.path.dirname(__file__)  # noqa: PTH120 # as above
    ]
    return places[-1] if places else ""


def main() -> None:
    """Write the facts, or the error that importing the app raised."""
    import_as_printed_command()
    answer: dict[str, Any]
    try:
        answer = probe()
    except BaseException as error:  # noqa: BLE001 # the user gets to know any error
        cause = _cause(error)
        lines = traceback.format_exception_only(type(cause), cause)
        answer = {
            "error": f"{lines[-1].strip()}{_place(cause)}",
            "traceback": traceback.format_exc(),
        }
    Path(CONFIG["answer"]).write_text(json.dumps(answer, default=str))
    sys.stdout.flush()
    # Threads that the app started must not keep this process alive.
    os._exit(0) if threading.active_count() > 1 else sys.exit(0)


if __name__ == "__main__":
    main()
