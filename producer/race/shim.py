"""What a race runs in the environment of the user's app: its app, with a broker of the race.

A single file that is copied to where it is needed. It needs the standard library and Celery 5.3
or newer, on Python 3.8 or newer, and nothing of poolrace.

``python poolrace_shim.py -A poolrace_shim worker ...`` is Celery's own command line for it;
``python poolrace_shim.py probe`` tells what the app is, and whether its task can be called.
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
"""What the producer wants to be done; see ``producer/race/app_info.py`` and ``worker.py``."""

TRACE_CHARACTERS = 3000
"""A line to the producer must stay below 4,096 bytes, so that lines do not mix (pipe(7))."""

PR_SET_PDEATHSIG = 1

_began: dict[str, tuple[float, float, float]] = {}
_failures: dict[str, tuple[str, str]] = {}
_pipe: dict[int, int] = {}


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
    app._backend_cache = None  # made before, it would be the app's own
    if hasattr(app._local, "backend"):  # as above
        del app._local.backend  # as above
    return app


def _replacements(app: Any, backend: str) -> dict[str, Any]:
    """The settings that lead elsewhere; all others stay the app's own."""
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
        # Its own queues stay where they are; this worker has one of its own.
        "task_queues": None, "task_create_missing_queues": True,
        "task_default_queue_type": "classic", "task_default_exchange_type": "direct",
        "task_always_eager": False, "beat_schedule": {},
        "accept_content": [*{*(app.conf.accept_content or ()), "json"}],
    }  # fmt: skip


def probe() -> dict[str, Any]:
    """What the producer wants to know of the app, its environment, its task and the items."""
    import celery  # noqa: PLC0415 # the answer to a missing one is a sentence

    app = replaced_app()
    app.loader.import_default_modules()
    app.finalize()
    tasks = sorted(name for name in app.tasks if not name.startswith("celery."))
    told = {
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
        return told
    task = app.tasks[CONFIG["task"]]
    route = app.amqp.router.route({}, CONFIG["task"]).get("queue")
    queue = getattr(route, "name", route)
    items = json.loads(Path(CONFIG["items"]).read_text())
    return {
        **told,
        "queue": None if queue == app.conf.task_default_queue else queue,
        "serializer": task.serializer or told["serializer"],
        "misfit": _misfit(task, items),
    }


def _without_redis() -> str | None:
    """Why the environment cannot talk to Redis, ``None`` if it can."""
    try:
        importlib.import_module("kombu.transport.redis")
        importlib.import_module("celery.backends.redis")
    except ImportError as error:
        return str(error)
    return None if _has("redis") else "No module named 'redis'"


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _misfit(task: Any, items: list[tuple[list[Any], dict[str, Any]]]) -> tuple[int, str] | None:
    """The first item that the task cannot be called with, and why."""
    try:
        signature = inspect.signature(task.run)
    except (TypeError, ValueError):
        return None  # it is written in C and tells nothing
    for number, (args, kwargs) in enumerate(items):
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            return number, str(error)
    return None


def watched_app() -> Any:
    """The app of a worker: it tells the producer when each item began and ended."""
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
    """Whatever becomes of the parent, this process does not outlive it (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _without_retries(sender: Any, **_: Any) -> None:
    """What the task would retry counts as failed: a race does not wait for minutes."""

    def retry(*_: Any, exc: BaseException | None = None, **__: Any) -> Any:
        raise exc or sys.exc_info()[1] or RuntimeError("the task asked to be retried")

    if CONFIG["task"] in sender.app.tasks:
        sender.app.tasks[CONFIG["task"]].retry = retry


def _on_ready(**_: Any) -> None:
    _tell(["ready"])


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
    if task_id not in _began:  # its process died, or was ended: nobody else tells of it
        now = time.monotonic()
        _tell(["done", task_id, now, now, 0.0, 0.0, *_failures.pop(task_id)])


def _on_end(task_id: str, state: str | None = None, **_: Any) -> None:
    began = _began.pop(task_id, None)
    if began is None:
        return
    ended = _clocks()
    failure: tuple[str | None, str] = _failures.pop(task_id, (None, ""))
    if failure[0] is None and state not in {"SUCCESS", "IGNORED"}:
        failure = str(state), ""
    _tell([
        "done", task_id, began[0], ended[0], ended[1] - began[1], ended[2] - began[2], *failure,
    ])  # fmt: skip


def _clocks() -> tuple[float, float, float]:
    """Seconds now, of this thread's computing, and that it waited for a core."""
    return time.monotonic(), time.thread_time(), _waited_for_core_s()


def _waited_for_core_s() -> float:
    """Field 2 of schedstat, in ns (Linux); elsewhere nobody tells."""
    if CONFIG["pool"] == "gevent":
        return 0.0  # a thread of many items: the figure would be nobody's
    try:
        with open("/proc/thread-self/schedstat") as file:  # noqa: PTH123 # a fifth of Path's time
            return int(file.read().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def _tell(what: list[Any]) -> None:
    """A line to the producer; each process has opened the pipe for itself."""
    line = json.dumps(what).encode()
    if len(line) > 4000:
        line = json.dumps([*what[:-1], ""]).encode()
    pid = os.getpid()
    if pid not in _pipe:
        _pipe[pid] = os.open(CONFIG["pipe"], os.O_WRONLY)
    os.write(_pipe[pid], line + b"\n")


def main() -> None:
    """Be Celery's command line, or answer a probe with a file."""
    if sys.argv[1:] != ["probe"]:
        from celery.__main__ import main as celery_main  # noqa: PLC0415 # it patches first

        celery_main()
        return
    told: dict[str, Any]
    try:
        told = probe()
    except BaseException as error:  # noqa: BLE001 # whatever it is, the user wants to know
        lines = traceback.format_exception_only(type(error), error)
        told = {"error": lines[-1].strip(), "traceback": traceback.format_exc()}
    Path(CONFIG["answer"]).write_text(json.dumps(told, default=str))
    sys.stdout.flush()
    # Threads of the app may run on; nobody needs them.
    os._exit(0) if threading.active_count() > 1 else sys.exit(0)


if __name__ == "__main__":
    main()
elif CONFIG["pipe"]:
    app = watched_app()
