"""Local executors with several slots: no chunk waits behind another, dead processes are named."""

import signal
import sys
import time

import psutil
import pytest

from poolrace.producer.errors import ChunkFailed, JobFailed
from poolrace.producer.executors.base import Executor
from poolrace.producer.executors.models import ONE_SLOT, Model, make_executor
from poolrace.producer.executors.processes import Processes
from poolrace.producer.jobs.job import Job
from poolrace.producer.settings import Settings
from poolrace.workers.chunks import Chunk
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.workloads import make_workload
from tests.local_models import RUNNABLE

WAITING = Job(make_workload("mixed", {"cpu_s": 0.0, "wait_s": 0.01}), 0, 10**6)
LONG = Chunk(0, 10**5)
"""A chunk of 1000 s, which no test waits for."""
SHORT = [Chunk(10**5 + n, 10**5 + n + 1) for n in range(9)]


def collect(executor: Executor, number: int) -> list[Chunk]:
    """Collect until as many results have arrived; return their chunks in order of the indices."""
    arrived: list[Chunk] = []
    deadline = time.monotonic() + 60.0
    while len(arrived) < number and time.monotonic() < deadline:
        arrived += [result.chunk for result in executor.collect(1.0)]
    return sorted(arrived)


def exit_at_once(*_: object) -> None:
    """Take the place of the code of a process: end it."""
    sys.exit(7)


@pytest.mark.parametrize("name", [name for name in RUNNABLE if name not in ONE_SLOT])
def test_no_chunk_waits_behind_a_long_one_while_another_slot_is_free(
    name: str, settings: Settings
) -> None:
    """The slot that has no long chunk computes all of the short ones."""
    with make_executor(Model("local", name, 2), WAITING, settings) as executor:
        executor.submit([LONG, *SHORT])
        arrived = collect(executor, len(SHORT))
    assert arrived == SHORT


class TwoProcesses(Processes):
    """``processes`` with two slots, whose processes the test can stop and kill."""

    def __init__(self) -> None:
        super().__init__(WAITING, 2, HostFacts.collect("here"))

    def send_signal(self, slot: int, signum: int) -> None:
        """Send a signal to the process of a slot."""
        psutil.Process(self._slots[slot].process.pid).send_signal(signum)


def test_a_process_that_dies_in_its_chunk_is_named() -> None:
    with TwoProcesses() as executor:
        executor.submit([LONG, *SHORT])
        assert executor.collect(20.0)
        executor.send_signal(0, signal.SIGKILL)
        with pytest.raises(ChunkFailed, match=r"chunk \[0, 100_000\) failed on here.*exit code -9"):
            collect(executor, len(SHORT) + 1)


def test_a_process_that_dies_before_it_reads_its_chunk_is_named() -> None:
    with TwoProcesses() as executor:
        executor.send_signal(0, signal.SIGSTOP)
        executor.submit([LONG, *SHORT])
        assert executor.collect(20.0)
        executor.send_signal(0, signal.SIGKILL)
        with pytest.raises(ChunkFailed, match=r"chunk \[0, 100_000\) failed on here.*exit code -9"):
            collect(executor, len(SHORT) + 1)


@pytest.mark.parametrize("submitted", [[], [LONG]])
def test_an_idle_process_that_dies_is_named(submitted: list[Chunk]) -> None:
    with TwoProcesses() as executor:
        executor.send_signal(0, signal.SIGKILL)
        executor._slots[0].process.join()
        executor.submit(submitted)
        with pytest.raises(JobFailed, match=r"failed on here.*exit code -9"):
            executor.collect(20.0)


def test_a_process_that_does_not_start_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the machine has no memory left for the process."""
    monkeypatch.setattr("poolrace.producer.executors.processes._serve", exit_at_once)
    with pytest.raises(JobFailed, match=r"a slot did not start on here: .* code 7"), TwoProcesses():
        pass
