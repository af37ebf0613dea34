"""Starts a private Redis and worker processes for peers, and stops them with all descendants."""

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
"""Root directory of the checkout."""

REDIS_VARIABLE = "POOLRACE_BENCH_REDIS"
"""Environment variable with the URL of the private Redis."""

MARK_VARIABLE = "POOLRACE_BENCH_MARK"
"""Environment variable by which the processes of one measurement are found."""

NO_TELEMETRY = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # Ray's next default; without it Ray warns
    "DO_NOT_TRACK": "1",
}
"""Environment variables that switch off the peers' telemetry; no traffic leaves the machine."""

STOP_S = 5.0
"""Seconds within which workers must end by themselves."""


@contextmanager
def private_redis() -> Iterator[str]:
    """Run a Redis on loopback, with a password; peers read its URL from the environment."""
    with tempfile.TemporaryDirectory() as directory:
        settings = Settings(state_dir=Path(directory))
        with temporary(settings, {}) as cluster:
            os.environ[REDIS_VARIABLE] = cluster.broker_url
            yield cluster.broker_url


def redis_url() -> str:
    """The URL of the private Redis, in the measuring process and in its workers."""
    return os.environ[REDIS_VARIABLE]


@contextmanager
def service(*arguments: str, **variables: str) -> Iterator[None]:
    """Run a Python module as a process in its own session; stop it and its descendants."""
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
        tree = _tree(process)
        process.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(tree, timeout=STOP_S)
        kill_all(alive)
        process.wait()


def new_mark() -> Mapping[str, str]:
    """Environment for a process whose descendants can be found, even when they detach."""
    return {MARK_VARIABLE: uuid.uuid4().hex, **NO_TELEMETRY}


def left_running(mark: Mapping[str, str]) -> list[psutil.Process]:
    """Processes with this mark that still run after ``STOP_S`` seconds."""
    _, alive = psutil.wait_procs(_marked(mark[MARK_VARIABLE]), timeout=STOP_S)
    return alive


def kill_all(processes: Sequence[psutil.Process]) -> None:
    """Kill the processes, and wait for their end."""
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue  # ended by itself meanwhile
    psutil.wait_procs(processes, timeout=STOP_S)


def _marked(mark: str) -> list[psutil.Process]:
    marked = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK_VARIABLE) == mark and process.pid != os.getpid():
                marked.append(process)
        except (psutil.Error, OSError):
            continue  # ended, or another user's
    return marked


def _tree(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    """The process and its descendants; none if the process ended."""
    if process.poll() is not None:
        return []
    parent = psutil.Process(process.pid)
    return [parent, *parent.children(recursive=True)]
