"""The workers of one candidate: starts them, reads their timings, measures them, stops them."""

import json
import os
import select
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psutil

from poolrace.producer.race.app_process import SHIM, AppProcess
from poolrace.producer.race.options import Target
from poolrace.producer.race.sandbox import Sandbox
from poolrace.producer.results.candidate import Candidate
from poolrace.workers.errors import ClusterError
from poolrace.workers.usage import (
    LINUX,
    RESET_PEAK,
    Usage,
    Usages,
    status_numbers,
    usage_of_tree,
)

READY_S = 90.0
"""Seconds for workers to be ready; starting takes 2 to 4 on two cores, longer for hundreds."""

READY_POLL_S = 0.2
"""Seconds between two checks of whether workers that start have ended."""

MAX_LINE_BYTES = 4096
"""Bytes of an incomplete line from a worker that are kept, the largest write that is atomic."""

FORKED = "the task calls os.fork, and the forked process returns from it; end it by os._exit"
"""Reason why workers that copy themselves are stopped: each copy would take items, and so on."""

_numbers = count()


@dataclass(frozen=True)
class ItemTiming:
    """Timing of one item, as its worker measured it. Times in seconds."""

    task_id: str
    began: float
    ended: float
    own_cpu_s: float
    core_wait_s: float
    failure: str | None
    """Name of the exception, ``None`` if the item succeeded."""
    traceback: str


class WorkerGroup:
    """One or more workers that share a queue, and a pipe for their timings.

    Each of them has a queue of its own, too.
    """

    def __init__(
        self, target: Target, sandbox: Sandbox, candidate: Candidate, time_limit_s: float
    ) -> None:
        self.candidate = candidate
        self.queue = f"queue-{next(_numbers)}"
        self.own_queues = [f"{self.queue}-{number}" for number in range(candidate.workers)]
        """A queue of each worker, besides the one that all of them share."""
        self._time_limit_s = time_limit_s
        self._workers = [AppProcess(target, sandbox) for _ in range(candidate.workers)]
        self._pipe: int | None = None
        self._incomplete_line = b""
        self._ready = 0
        self.sent: set[str] = set()
        """Names of the tasks that the task sent."""
        self.retried = False
        """Whether the task asked to be retried."""
        self._forked = False

    def start(self) -> None:
        """Start the workers, without waiting; raises ``ClusterError`` if that fails."""
        directories = [worker.create_directory() for worker in self._workers]
        pipe = directories[0] / "pipe"
        os.mkfifo(pipe, 0o600)
        # Open for writing, too, so that it never looks closed (Linux).
        self._pipe = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
        config = {"pool": self.candidate.pool, "pipe": str(pipe)}
        for number, worker in enumerate(self._workers):
            worker.start(SHIM, self._arguments(number), config)

    def wait_until_ready(self, timeout_s: float = READY_S) -> None:
        """Wait until all workers are ready; raises ``ClusterError`` if one of them fails to."""
        deadline = time.monotonic() + timeout_s
        while self._ready < len(self._workers):
            if self.read_timings(READY_POLL_S):
                raise ClusterError(f"{self.candidate}: a worker ran a task that was not sent to it")
            if self.ended:
                raise ClusterError(f"{self.candidate} did not start: {self.last_error()}")
            if time.monotonic() > deadline:
                raise ClusterError(f"{self.candidate} was not ready within {timeout_s:.0f} s")

    def request_stop(self, *, kill: bool = False) -> None:
        """Have the workers end, without waiting for them; ``kill``: by SIGKILL at once."""
        for worker in self._workers:
            worker.request_stop(kill=kill)

    def stop(self) -> None:
        """End the workers and all their descendants."""
        self.request_stop()
        for worker in self._workers:
            worker.stop()
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None

    @property
    def ended(self) -> bool:
        """Whether one of the workers has ended, or copied itself and cannot be measured."""
        return self._forked or any(worker.ended for worker in self._workers)

    def read_timings(self, timeout_s: float) -> list[ItemTiming]:
        """Timings since the last call; waits ``timeout_s`` for the first one, at most."""
        timings = []
        for kind, *values in self._lines(timeout_s):
            if kind == "ready":
                self._ready += 1
            elif kind == "sent":
                self.sent.update(values)
            elif kind == "retried":
                self.retried = True
            elif kind == "forked":
                self._forked = True
            elif kind == "done" and len(values) == len(ItemTiming.__dataclass_fields__):
                timings.append(ItemTiming(*values))
        return timings

    def last_error(self) -> str:
        """The last error in the log of a worker that has ended."""
        if self._forked:
            return FORKED
        return next(worker.last_error() for worker in self._workers if worker.ended)

    def logged_error(self) -> str:
        """The last error in the log of a worker; empty if there is none."""
        return next(filter(None, (worker.logged_error() for worker in self._workers)), "")

    def usage(self) -> Usages:
        """CPU seconds and context switches of the workers' process trees."""
        usages = {}
        for worker in self._workers:
            with suppress(psutil.NoSuchProcess):
                usages[str(worker.pid)] = usage_of_tree(worker.pid)
        return usages

    def main_usage(self) -> Usages:
        """CPU seconds of the workers' main processes, which handle the messages."""
        usages = {}
        for worker in self._workers:
            with suppress(psutil.NoSuchProcess):
                times = psutil.Process(worker.pid).cpu_times()
                usages[str(worker.pid)] = Usage(cpu_s=times.user + times.system)
        return usages

    def memory_bytes(self) -> int:
        """Largest memory of the workers' process trees since the last call, in bytes.

        Each shared page counts once. The processes may have their peaks at different times.
        """
        return sum(peak_memory(pid) for worker in self._workers for pid in _tree(worker.pid))

    def _arguments(self, number: int) -> list[str]:
        """Command-line arguments of a worker, for ``celery``."""
        limit = []
        if self.candidate.pool in {"prefork", "gevent"}:  # of others Celery cannot end an item
            limit = ["--time-limit", f"{self._time_limit_s:g}"]
        return [
            # Quiet: without the banner, whose last line would be that of a killed worker's log.
            *("--app", SHIM, "--quiet", "worker"),
            *("--queues", f"{self.queue},{self.own_queues[number]}"),
            *("--hostname", f"{self.queue}-{number}@race"),
            *self.candidate.options(),
            *limit,
            # A log line costs a fraction of a millisecond; mingling delays the start by a second.
            # Heartbeats stay on: the event loops of older workers depend on their ticks.
            *("--loglevel", "WARNING", "--without-mingle"),
        ]

    def _lines(self, timeout_s: float) -> Iterator[list[Any]]:
        """Complete lines from the pipe that are JSON arrays."""
        if self._pipe is None:
            raise RuntimeError(f"{self.candidate} was not started")
        if select.select([self._pipe], [], [], max(timeout_s, 0.0))[0]:
            with suppress(BlockingIOError):
                self._incomplete_line += os.read(self._pipe, 1 << 20)
        *lines, rest = self._incomplete_line.split(b"\n")
        self._incomplete_line = rest[-MAX_LINE_BYTES:]
        for line in lines:
            with suppress(ValueError):  # a task wrote to a descriptor that was not its own
                values = json.loads(line)
                if isinstance(values, list) and values:
                    yield values


def _tree(pid: int) -> list[int]:
    """The process and all its descendants."""
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return [pid, *(child.pid for child in children)]


def peak_memory(pid: int) -> int:
    """Largest memory since the last call, in bytes; elsewhere than on Linux the resident set.

    That is the proportional set size (proc_pid_smaps(5)), and the difference by which the resident
    set was above its present size: memory that an item holds for a moment would else be missed.
    """
    with suppress(OSError, psutil.Error):
        if not LINUX:
            return int(psutil.Process(pid).memory_info().rss)
        directory = Path(f"/proc/{pid}")
        peak = status_numbers(directory / "status").get("VmHWM", 0)
        now = status_numbers(directory / "smaps_rollup")
        (directory / "clear_refs").write_text(RESET_PEAK)
        return 1024 * (now.get("Pss", 0) + max(0, peak - now.get("Rss", peak)))
    return 0
