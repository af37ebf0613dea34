"""The workers of one candidate: started, heard, weighed and ended together."""

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

from poolrace.producer.race.app_process import MODULE, AppProcess, Target
from poolrace.producer.race.sandbox import Sandbox
from poolrace.producer.results.candidate import Candidate
from poolrace.workers.errors import ClusterError
from poolrace.workers.usage import LINUX, Usages, usage_of_tree

READY_S = 90.0
"""Seconds for workers to be ready; it takes 2 to 4 on two cores, longer with hundreds of them."""

_numbers = count()


@dataclass(frozen=True)
class Report:
    """What a worker said of one item."""

    task_id: str
    began: float
    ended: float
    own_cpu_s: float
    core_wait_s: float
    failure: str | None
    traceback: str


class WorkerGroup:
    """One or more workers that share a queue, and a pipe on which they tell what they did."""

    def __init__(
        self, target: Target, place: Sandbox, candidate: Candidate, time_limit_s: float
    ) -> None:
        self.candidate = candidate
        self.queue = f"queue-{next(_numbers)}"
        self._time_limit_s = time_limit_s
        self._workers = [
            AppProcess(target, place, {"pool": candidate.pool}) for _ in range(candidate.workers)
        ]
        pipe = self._workers[0].directory / "pipe"
        os.mkfifo(pipe, 0o600)
        # Open for writing, too, so that it never looks closed (Linux).
        self._pipe = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
        self._rest = b""
        self._ready = 0
        for worker in self._workers:
            worker.add(pipe=str(pipe))

    def start(self) -> None:
        """Start the workers, without waiting; raises ``ClusterError`` if that fails."""
        for number, worker in enumerate(self._workers):
            worker.start(*self._arguments(number))

    def wait(self) -> None:
        """Wait until all workers are ready; raises ``ClusterError`` if they do not get there."""
        deadline = time.monotonic() + READY_S
        while self._ready < len(self._workers):
            for _ in self.reports(0.2):
                raise ClusterError(f"{self.candidate}: a worker runs what was not sent to it")
            if self.ended or time.monotonic() > deadline:
                raise ClusterError(f"{self.candidate} did not start: {self.last_words()}")

    def stop(self) -> None:
        """End the workers and all that they started."""
        self.let_go()
        for worker in self._workers:
            worker.stop()
        os.close(self._pipe)

    def let_go(self) -> None:
        """Have the workers end, without waiting."""
        for worker in self._workers:
            worker.let_go()

    @property
    def ended(self) -> bool:
        """Whether one of the workers is gone."""
        return any(worker.ended for worker in self._workers)

    def last_words(self) -> str:
        """What the workers logged last."""
        return "; ".join(worker.last_words() for worker in self._workers)

    def reports(self, timeout_s: float) -> list[Report]:
        """What was told since the last call; waits for it, ``timeout_s`` at most."""
        return [Report(*line[1:]) for line in self._lines(timeout_s) if not self._is_ready(line)]

    def usage(self) -> Usages:
        """CPU seconds and context switches of the workers' process trees."""
        found = {}
        for worker in self._workers:
            with suppress(psutil.NoSuchProcess):
                found[str(worker.pid)] = usage_of_tree(worker.pid)
        return found

    def memory_bytes(self) -> int:
        """What the process trees take now: shared pages count once, divided by who shares them."""
        return sum(_memory(pid) for worker in self._workers for pid in _tree(worker.pid))

    def _arguments(self, number: int) -> list[str]:
        limit = []
        if self.candidate.pool == "prefork":  # the only pool of which Celery can end an item
            limit = ["--time-limit", f"{self._time_limit_s:g}"]
        return [
            *("--app", MODULE, "worker", "--queues", self.queue),
            *("--hostname", f"{self.queue}-{number}@race"),
            *self.candidate.options(),
            *limit,
            # Each line costs a part of a millisecond, and nobody reads it; mingling makes the start
            # a second longer. Heartbeats stay: the loops of older workers hang on their ticks.
            *("--loglevel", "WARNING", "--without-mingle"),
        ]

    def _is_ready(self, line: list[Any]) -> bool:
        ready: bool = line[0] == "ready"
        self._ready += ready
        return ready

    def _lines(self, timeout_s: float) -> Iterator[list[Any]]:
        if select.select([self._pipe], [], [], max(timeout_s, 0.0))[0]:
            with suppress(BlockingIOError):
                self._rest += os.read(self._pipe, 1 << 20)
        *lines, self._rest = self._rest.split(b"\n")
        return map(json.loads, lines)


def _tree(pid: int) -> list[int]:
    try:
        return [pid, *(it.pid for it in psutil.Process(pid).children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def _memory(pid: int) -> int:
    """Proportional set size (Linux, proc_pid_smaps(5)); elsewhere the resident set."""
    with suppress(OSError, psutil.Error):
        if LINUX:
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
        return int(psutil.Process(pid).memory_info().rss)
    return 0
