"""``processes``: one process per slot on this host, each with its own interpreter and GIL."""

import os
import signal
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from poolrace.producer.errors import ChunkFailed
from poolrace.producer.executors.base import LocalExecutor
from poolrace.producer.processes.signals import block_interrupt
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.compute import compute
from poolrace.workers.usage import Usages, usage_of
from poolrace.workers.workloads import Workload

CHUNKS_PER_SLOT = 2
"""Chunks that a process holds, at most: the running chunk and the next one."""


@dataclass
class _Slot:
    """A process with its pipe, and the chunks that it holds."""

    process: SpawnProcess
    pipe: Connection
    chunks: deque[Chunk] = field(default_factory=deque)


class Processes(LocalExecutor):
    """Runs chunks in spawned processes.

    Each process has a pipe of its own, so that the executor knows which chunks a process holds, and
    which process died.
    """

    name = "processes"

    def start(self) -> None:
        """Start the processes and wait until each reports that it is ready.

        The processes are spawned, not forked: a fork would copy locks that our threads hold.
        """
        context = get_context("spawn")
        self._queue: deque[Chunk] = deque()
        self._slots: list[_Slot] = []
        for _ in range(self.slots):
            parent_end, child_end = context.Pipe()
            process = context.Process(
                target=_serve, args=(child_end, self.job.workload, self.host), daemon=True
            )
            with block_interrupt():
                process.start()
            child_end.close()  # so that recv() raises EOFError when the process dies
            self._slots.append(_Slot(process, parent_end))
        for slot in self._slots:
            slot.pipe.recv()

    def close(self) -> None:
        """Kill the processes, with their running chunks."""
        for slot in self._slots:
            slot.process.kill()
        for slot in self._slots:
            slot.process.join()
            slot.pipe.close()

    def submit(self, chunks: Sequence[Chunk]) -> None:
        """Queue the chunks, and send each process its next ones."""
        self._queue.extend(chunks)
        self._send_queued()

    def collect(self, timeout_s: float) -> list[ChunkResult]:
        """Return the results that the processes have sent."""
        by_pipe = {slot.pipe: slot for slot in self._slots}
        results = [self._receive(by_pipe[pipe]) for pipe in wait(list(by_pipe), timeout_s)]  # type: ignore[index] # wait() returns the objects of its list
        self._send_queued()
        return results

    def usage(self, *, reset_peak: bool = False) -> Usages:
        """Resource usage of this process and of its slots."""
        pids = [slot.process.pid for slot in self._slots if slot.process.pid]
        slots = usage_of(pids, reset_peak=reset_peak)
        return {**super().usage(reset_peak=reset_peak), "slots": slots}

    def _send_queued(self) -> None:
        while self._queue:
            slot = min(self._slots, key=lambda slot: len(slot.chunks))
            if len(slot.chunks) >= CHUNKS_PER_SLOT:
                return
            chunk = self._queue.popleft()
            slot.chunks.append(chunk)
            slot.pipe.send(chunk)

    def _receive(self, slot: _Slot) -> ChunkResult:
        chunk = slot.chunks[0]
        try:
            result: ChunkResult | Exception = slot.pipe.recv()
        except EOFError:
            slot.process.join()
            raise ChunkFailed(
                f"chunk {chunk} failed on {self.host}: its process {slot.process.pid}"
                f" died with exit code {slot.process.exitcode}"
            ) from None
        slot.chunks.popleft()
        if isinstance(result, Exception):
            raise self.chunk_error(chunk, result) from result
        return result


def _serve(pipe: Connection, workload: Workload, host: str) -> None:
    """Compute chunks from the pipe and send their results, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    parent = os.getppid()

    def cancellation_point() -> None:
        if os.getppid() != parent:  # the parent was killed: stop in the middle of the chunk
            sys.exit()

    pipe.send("ready")
    while True:
        try:
            chunk = pipe.recv()
        except EOFError:
            return
        try:
            outcome: ChunkResult | Exception = compute(
                workload, chunk, host, cancellation_point=cancellation_point
            )
        except Exception as error:  # noqa: BLE001 # the parent raises it
            outcome = error
        try:
            pipe.send(outcome)
        except BrokenPipeError:
            return
