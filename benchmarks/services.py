"""What peers start beside themselves: a private Redis, and worker processes.

Both end with the context that started them, and so does what they started.
"""

import os
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from poolrace.producer.cluster.lifecycle import temporary
from poolrace.producer.settings import Settings
from poolrace.workers.settings import inherited_environment

ROOT = Path(__file__).resolve().parent.parent

REDIS_VARIABLE = "POOLRACE_BENCH_REDIS"
MARK_VARIABLE = "POOLRACE_BENCH_MARK"

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # its coming default, which it warns of otherwise
    "DO_NOT_TRACK": "1",
}
"""No peer reports its use: no traffic leaves the machine."""

STOP_S = 5.0
"""Seconds for workers to end by themselves."""


@contextmanager
def private_redis() -> Iterator[str]:
    """A Redis of our own, on loopback with a password; peers find it in the environment."""
    with tempfile.TemporaryDirectory() as directory:
        settings = Settings(state_dir=Path(directory))
        with temporary(settings, {}) as cluster:
            os.environ[REDIS_VARIABLE] = cluster.broker_url
            yield cluster.broker_url


def redis_url() -> str:
    """Address of the private Redis, in the process that measures and in its workers."""
    return os.environ[REDIS_VARIABLE]


@contextmanager
def service(*arguments: str, **variables: str) -> Iterator[None]:
    """A Python module with arguments and variables, as a process in a session of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=inherited_environment(PYTHONPATH=str(ROOT), **variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        family = [*psutil.Process(process.pid).children(recursive=True)] if _runs(process) else []
        process.send_signal(signal.SIGTERM)
        _end([psutil.Process(process.pid), *family] if _runs(process) else family)
        process.wait()


def new_mark() -> Mapping[str, str]:
    """Environment for a process whose descendants shall be known, however they detach."""
    return {MARK_VARIABLE: uuid.uuid4().hex, **QUIET}


def left_behind(mark: Mapping[str, str]) -> list[psutil.Process]:
    """Processes with that mark which still run ``STOP_S`` after their ancestor ended."""
    _, alive = psutil.wait_procs(_marked(mark[MARK_VARIABLE]), timeout=STOP_S)
    return alive


def end_all(processes: Sequence[psutil.Process]) -> None:
    """Kill what is left."""
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue  # it ended by itself meanwhile
    psutil.wait_procs(processes, timeout=STOP_S)


def _marked(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK_VARIABLE) == mark and process.pid != os.getpid():
                found.append(process)
        except (psutil.Error, OSError):
            continue  # it is gone, or another user's
    return found


def _runs(process: "subprocess.Popen[bytes]") -> bool:
    return process.poll() is None


def _end(processes: Sequence[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=STOP_S)
    end_all(alive)
