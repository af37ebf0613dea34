"""The shim: runs the user's app in its own environment, with the broker of the race.

It is copied to a directory of its own. It needs the standard library and Celery
5.3 or newer, on Python 3.8 or newer, and nothing of poolrace.

``python poolrace_shim.py --app poolrace_shim worker ...`` is Celery's own command line with the
app. ``app_probe.py`` reads facts of the app.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
import traceback
import warnings
from typing import Any

from poolrace_settings import (  # type: ignore[import-not-found] # it is copied beside this file
    CONFIG,
    replaced_app,
)

TRACE_CHARACTERS = 3000
"""Characters of a traceback that are kept, from its end."""

LINE_BYTES = 4000
"""Bytes of a line to the producer, at most: writes below 4,096 are atomic (pipe(7))."""

PR_SET_PDEATHSIG = 1

TIME_LIMIT = "billiard.exceptions.TimeLimitExceeded"
"""Name of the exception of an item that exceeded its hard time limit, as prefork raises it."""

_began: dict[str, tuple[int, tuple[float, float, float]]] = {}
"""Task id -> process id and clocks at the start of the item."""
_failures: dict[str, tuple[str, str]] = {}
"""Task id -> name of the exception and traceback."""
_CLOCKS = (getattr(time, "clock_gettime", None), time.monotonic, time.thread_time)
"""Functions that read clocks, taken before the app may replace them in the module ``time``."""

_sent: set[tuple[int, str]] = set()
"""Process ids and names of tasks that the task has sent."""
_PIPE_FILE = os.stat(CONFIG["pipe"]) if CONFIG["pipe"] else None  # noqa: PTH116 # as above
_pipe = -1
"""Descriptor of the pipe, while it is open for that file."""


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
    signals.worker_init.connect(_without_retries_and_rate_limit, weak=False)
    signals.after_task_publish.connect(_on_sent, weak=False)
    return app


def _end_with_parent(**_: Any) -> None:
    """Have the kernel kill this process when its parent dies (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _without_retries_and_rate_limit(sender: Any, **_: Any) -> None:
    """Make the task fail instead of being retried or delayed: a race does not wait for minutes."""

    def retry(*_: Any, exc: BaseException | None = None, **__: Any) -> Any:
        _write_line(["retried"])
        raise exc or sys.exc_info()[1] or RuntimeError("the task asked to be retried")

    if CONFIG["task"] in sender.app.tasks:
        task = sender.app.tasks[CONFIG["task"]]
        task.retry, task.rate_limit, task.backend = retry, None, sender.app.backend


def _on_ready(sender: Any, **_: Any) -> None:
    """Tell the producer that the worker is ready, and end at once at SIGTERM from now on.

    Celery's own shutdown of an idle worker takes 0.8 to 3.5 s, and a race stops a dozen of them.
    """
    from celery import signals  # noqa: PLC0415 # after gevent has patched

    def end(*_: Any) -> None:
        try:
            signals.worker_shutdown.send(sender=sender.controller)  # as Celery does at its end
        finally:
            os._exit(0)  # the kernel ends the child processes

    signal.signal(signal.SIGTERM, end)
    _write_line(["ready"])


def _on_sent(sender: str | None = None, **_: Any) -> None:
    """Tell the producer once which tasks the task sends; they are not run."""
    key = os.getpid(), str(sender)
    if key not in _sent:
        _sent.add(key)
        _write_line(["sent", str(sender)])


def _on_begin(task_id: str, **_: Any) -> None:
    if task_id.startswith(CONFIG["prefix"]):
        _began[task_id] = os.getpid(), _clocks()


def _on_failure(task_id: str, exception: BaseException, einfo: Any = None, **_: Any) -> None:
    if not task_id.startswith(CONFIG["prefix"]):
        return
    kind = type(exception)
    text = str(getattr(einfo, "traceback", None) or exception)
    _failures[task_id] = _name(kind), text[-TRACE_CHARACTERS:]
    if task_id not in _began:  # its process died or was killed, so there is no other signal
        ended = _monotonic()
        began = ended - exception.args[0] if _name(kind) == TIME_LIMIT else ended
        _write_line(["done", task_id, began, ended, 0.0, 0.0, *_failures.pop(task_id)])


def _on_end(task_id: str, state: str | None = None, **_: Any) -> None:
    if task_id not in _began:
        return
    pid, began = _began.pop(task_id)
    if pid != os.getpid():  # a copy of the worker, which would take items, too
        _write_line(["forked"])
        os._exit(1)
    ended = _clocks()
    failure: tuple[str | None, str] = _failures.pop(task_id, (None, ""))
    kind, error, trace = sys.exc_info()
    if failure[0] is None and state is None and kind and error:  # SystemExit, KeyboardInterrupt
        text = "".join(traceback.format_exception(kind, error, trace))
        failure = TIME_LIMIT if _is_greenlets_limit(kind) else _name(kind), text[-TRACE_CHARACTERS:]
    elif failure[0] is None and state not in {"SUCCESS", "IGNORED"}:
        failure = str(state), ""
    _write_line([
        "done", task_id, began[0], ended[0], ended[1] - began[1], ended[2] - began[2], *failure,
    ])  # fmt: skip


def _is_greenlets_limit(kind: type[BaseException]) -> bool:
    """Whether the gevent pool ended the item by its exception for the hard time limit."""
    return (kind.__module__, kind.__name__) == ("gevent.timeout", "Timeout")


def _name(kind: type[BaseException]) -> str:
    """The name of an exception, with its module unless it is built in."""
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _monotonic() -> float:
    """The clock that the producer reads, too. Tools that set the clock leave it alone (Linux)."""
    read, monotonic, _ = _CLOCKS
    if read is None or sys.platform != "linux":
        return monotonic()
    seconds: float = read(time.CLOCK_MONOTONIC)
    return seconds


def _clocks() -> tuple[float, float, float]:
    """Clocks of this thread, in seconds: monotonic time, CPU time, time it waited for a core."""
    return _monotonic(), _CLOCKS[2](), _waited_for_core_s()


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
    """Write a line to the producer's pipe; a line that is too long loses its last value.

    It begins with a newline, which ends an incomplete line of a task that wrote to the pipe.
    """
    line = json.dumps(values).encode()
    if len(line) > LINE_BYTES:
        line = json.dumps([*values[:-1], ""]).encode()
    os.write(_open_pipe(), b"\n" + line + b"\n")


def _open_pipe() -> int:
    """The descriptor of the pipe. It is opened again if Celery or the task has closed it."""
    global _pipe  # noqa: PLW0603 # the one descriptor of the process
    try:
        is_pipe = _PIPE_FILE is not None and os.path.samestat(os.fstat(_pipe), _PIPE_FILE)
    except OSError:
        is_pipe = False
    if not is_pipe:
        _pipe = os.open(CONFIG["pipe"], os.O_WRONLY)
    return _pipe


def main() -> None:
    """Run Celery's command line with the app."""
    import_as_printed_command()
    # The last line of the log of a killed worker is shown; this warning is not the cause.
    warnings.filterwarnings("ignore", "You're running the worker with superuser privileges")
    from celery.__main__ import main as celery_main  # noqa: PLC0415 # it patches for gevent first

    celery_main()


def import_as_printed_command() -> None:
    """Make the app import its modules from where the printed command would.

    ``python -m celery`` has the working directory on its path, the script ``celery`` has not.
    """
    if CONFIG["directory_on_path"]:
        sys.path.insert(0, os.getcwd())  # noqa: PTH109 # nothing else here needs pathlib


if __name__ == "__main__":
    main()
elif CONFIG["pipe"]:
    app = instrumented_app()
