"""The shim: runs the user's app in its own environment, with the broker of the race.

A single file that is copied to a directory of its own. It needs the standard library and Celery
5.3 or newer, on Python 3.8 or newer, and nothing of poolrace.

``python poolrace_shim.py --app poolrace_shim worker ...`` is Celery's own command line with the
app; ``python poolrace_shim.py probe`` writes facts of the app, its task and the items to a file.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import inspect
import json
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

CONFIG: dict[str, Any] = json.loads(os.environ["POOLRACE_RACE"])
"""Configuration from the producer; ``producer/race/app_process.py`` writes it."""

TRACE_CHARACTERS = 3000
"""Characters of a traceback that are kept, from its end."""

LINE_BYTES = 4000
"""Bytes of a line to the producer, at most: writes below 4,096 are atomic (pipe(7))."""

PR_SET_PDEATHSIG = 1

_began: dict[str, tuple[float, float, float]] = {}
"""Task id -> clocks at the start of the item."""
_failures: dict[str, tuple[str, str]] = {}
"""Task id -> name of the exception and traceback."""
_pipe: dict[int, int] = {}
"""Process id -> descriptor of the pipe: a forked process must open its own."""


def replaced_app() -> Any:
    """The user's app as ``celery -A`` finds it, with broker and result backend replaced."""
    from celery.app.utils import find_app  # noqa: PLC0415 # after gevent has patched

    app = find_app(CONFIG["app"])
    app.conf.result_backend  # noqa: B018 # read once, the configuration is loaded
    own_backend = (
        CONFIG["own_backend"]
        or app.conf.first("result_backend", "CELERY_RESULT_BACKEND")
        or app.backend_cls
    )
    keeps_results = bool(own_backend) and not str(own_backend).startswith("disabled")
    backend = CONFIG["url"] if keeps_results else "disabled://"
    os.environ["CELERY_RESULT_BACKEND"] = backend
    app.backend_cls = None
    app.conf.update(_replacements(app, backend))
    app.__dict__.pop("amqp", None)
    app._backend_cache = None  # a backend that was created earlier uses the app's own server
    if hasattr(app._local, "backend"):  # the same for the backend of this thread
        del app._local.backend
    return app


def _replacements(app: Any, backend: str) -> dict[str, Any]:
    """The settings that are replaced; all other settings stay the app's own."""
    prefix = {"global_keyprefix": CONFIG["prefix"]}
    url = CONFIG["url"]
    return {
        "broker_url": url, "broker_read_url": url, "broker_write_url": url,
        "broker_transport": None, "broker_use_ssl": None, "broker_login_method": None,
        "broker_transport_options": prefix,
        "broker_connection_retry_on_startup": True,
        "result_backend": backend,
        "result_backend_transport_options": prefix,
        "redis_backend_use_ssl": None, "redis_username": None, "redis_password": None,
        # The worker consumes a queue of the race instead of the app's queues.
        "task_queues": None, "task_create_missing_queues": True,
        "task_default_queue_type": "classic", "task_default_exchange_type": "direct",
        "task_always_eager": False, "beat_schedule": {},
        "accept_content": [*{*(app.conf.accept_content or ()), "json"}],
    }  # fmt: skip


def probe() -> dict[str, Any]:
    """Facts of the app, its environment, its task and the items."""
    import celery  # noqa: PLC0415 # if it is missing, the answer says so

    app = replaced_app()
    app.loader.import_default_modules()
    app.finalize()
    tasks = sorted(name for name in app.tasks if not name.startswith("celery."))
    facts = {
        "celery": celery.__version__,
        "python": ".".join(map(str, sys.version_info[:3])),
        "gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
        "pools": [*("prefork", "threads", "solo"), *(["gevent"] if _has("gevent") else [])],
        "redis": _without_redis(),
        "tasks": tasks,
        "serializer": app.conf.task_serializer,
        "prefetch": app.conf.worker_prefetch_multiplier,
    }
    if CONFIG["task"] not in app.tasks:
        return facts
    task = app.tasks[CONFIG["task"]]
    route = app.amqp.router.route({}, CONFIG["task"]).get("queue")
    queue = getattr(route, "name", route)
    items = json.loads(Path(CONFIG["items"]).read_text())
    return {
        **facts,
        "queue": None if queue == app.conf.task_default_queue else queue,
        "serializer": task.serializer or facts["serializer"],
        "misfit": _first_invalid_item(task, items),
    }


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


def instrumented_app() -> Any:
    """The app of a worker: it writes the timing of each item to the producer's pipe."""
    from celery import signals  # noqa: PLC0415 # after gevent has patched

    _end_with_parent()
    app = replaced_app()
    signals.task_prerun.connect(_on_begin, weak=False)
    signals.task_failure.connect(_on_failure, weak=False)
    signals.task_postrun.connect(_on_end, weak=False)
    signals.worker_ready.connect(_on_ready, weak=False)
    signals.worker_process_init.connect(_end_with_parent, weak=False)
    signals.worker_init.connect(_without_retries, weak=False)
    return app


def _end_with_parent(**_: Any) -> None:
    """Have the kernel kill this process when its parent dies (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _without_retries(sender: Any, **_: Any) -> None:
    """Make the task fail instead of being retried: a race does not wait for minutes."""

    def retry(*_: Any, exc: BaseException | None = None, **__: Any) -> Any:
        raise exc or sys.exc_info()[1] or RuntimeError("the task asked to be retried")

    if CONFIG["task"] in sender.app.tasks:
        sender.app.tasks[CONFIG["task"]].retry = retry


def _on_ready(**_: Any) -> None:
    _write_line(["ready"])


def _on_begin(task_id: str, **_: Any) -> None:
    if task_id.startswith(CONFIG["prefix"]):
        _began[task_id] = _clocks()


def _on_failure(task_id: str, exception: BaseException, einfo: Any = None, **_: Any) -> None:
    if not task_id.startswith(CONFIG["prefix"]):
        return
    kind = type(exception)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    text = str(getattr(einfo, "traceback", None) or exception)
    _failures[task_id] = name, text[-TRACE_CHARACTERS:]
    if task_id not in _began:  # its process died or was killed, so there is no other signal
        now = time.monotonic()
        _write_line(["done", task_id, now, now, 0.0, 0.0, *_failures.pop(task_id)])


def _on_end(task_id: str, state: str | None = None, **_: Any) -> None:
    began = _began.pop(task_id, None)
    if began is None:
        return
    ended = _clocks()
    failure: tuple[str | None, str] = _failures.pop(task_id, (None, ""))
    if failure[0] is None and state not in {"SUCCESS", "IGNORED"}:
        failure = str(state), ""
    _write_line([
        "done", task_id, began[0], ended[0], ended[1] - began[1], ended[2] - began[2], *failure,
    ])  # fmt: skip


def _clocks() -> tuple[float, float, float]:
    """Clocks of this thread, in seconds: monotonic time, CPU time, time it waited for a core."""
    return time.monotonic(), time.thread_time(), _waited_for_core_s()


def _waited_for_core_s() -> float:
    """Seconds that this thread waited for a core (field 2 of schedstat, Linux); elsewhere 0."""
    if CONFIG["pool"] == "gevent":
        return 0.0  # the thread runs many items, so no single item has this time
    try:
        with open("/proc/thread-self/schedstat") as file:  # noqa: PTH123 # a fifth of Path's time
            return int(file.read().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def _write_line(values: list[Any]) -> None:
    """Write a line to the producer's pipe; a line that is too long loses its last value."""
    line = json.dumps(values).encode()
    if len(line) > LINE_BYTES:
        line = json.dumps([*values[:-1], ""]).encode()
    pid = os.getpid()
    if pid not in _pipe:
        _pipe[pid] = os.open(CONFIG["pipe"], os.O_WRONLY)
    os.write(_pipe[pid], line + b"\n")


def main() -> None:
    """Run Celery's command line, or write the answer to a probe."""
    if sys.argv[1:] != ["probe"]:
        from celery.__main__ import main as celery_main  # noqa: PLC0415 # it patches for gevent first

        celery_main()
        return
    answer: dict[str, Any]
    try:
        answer = probe()
    except BaseException as error:  # noqa: BLE001 # the user gets to know any error
        lines = traceback.format_exception_only(type(error), error)
        answer = {"error": lines[-1].strip(), "traceback": traceback.format_exc()}
    Path(CONFIG["answer"]).write_text(json.dumps(answer, default=str))
    sys.stdout.flush()
    # Threads that the app started must not keep this process alive.
    os._exit(0) if threading.active_count() > 1 else sys.exit(0)


if __name__ == "__main__":
    main()
elif CONFIG["pipe"]:
    app = instrumented_app()
