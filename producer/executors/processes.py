"""``processes``: a process a slot on this host, each with an interpreter and a GIL of its own."""

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
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.compute import compute
from poolrace.workers.usage import Usages, usage_of
from poolrace.workers.workloads import Workload

AHEAD = 2
"""Chunks in the pipe to a process: the one it computes, and the next one."""


@dataclass
class _Slot:
    process: SpawnProcess
    pipe: Connection
    chunks: deque[Chunk] = field(default_factory=deque)


class Processes(LocalExecutor):
    """One pipe to each process, so that it is known who computes what, and who died."""

    name = "processes"

    def start(self) -> None:
        """Start the processes and wait until each says that it is ready.

        They are spawned, not forked: a fork copies the locks of our threads as they stand.
        """
        context = get_context("spawn")
        self._queue: deque[Chunk] = deque()
        self._slots: list[_Slot] = []
        for _ in range(self.slots):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_serve, args=(theirs, self.job.workload, self.host), daemon=True
            )
            process.start()
            theirs.close()  # so that the end of the process ends the pipe
            self._slots.append(_Slot(process, ours))
        for slot in self._slots:
            slot.pipe.recv()

    def close(self) -> None:
        """Kill the processes: whatever they still compute is not wanted."""
        for slot in self._slots:
            slot.process.kill()
        for slot in self._slots:
            slot.process.join()
            slot.pipe.close()

    def submit(self, chunks: Sequence[Chunk]) -> None:
        """Give the chunks to the processes with the fewest, the rest waits here."""
        self._queue.extend(chunks)
        self._feed()

    def collect(self, timeout_s: float) -> list[ChunkResult]:
        """All results that are there."""
        by_pipe = {slot.pipe: slot for slot in self._slots}
        results = [self._receive(by_pipe[pipe]) for pipe in wait(list(by_pipe), timeout_s)]  # type: ignore[index] # wait() returns what it was given
        self._feed()
        return results

    def usage(self, *, reset_peak: bool = False) -> Usages:
        """Of this process and its slots."""
        pids = [slot.process.pid for slot in self._slots if slot.process.pid]
        slots = usage_of(pids, reset_peak=reset_peak)
        return {**super().usage(reset_peak=reset_peak), "slots": slots}

    def _feed(self) -> None:
        while self._queue:
            slot = min(self._slots, key=lambda slot: len(slot.chunks))
            if len(slot.chunks) >= AHEAD:
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
            raise self.failed(chunk, result) from result
        return result


def _serve(pipe: Connection, workload: Workload, host: str) -> None:
    """The life of a slot: chunks in, results out, until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    parent = os.getppid()

    def cancellation_point() -> None:
        if os.getppid() != parent:  # it was killed: nobody wants the rest of the chunk
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
        except Exception as error:  # noqa: BLE001 # whatever it is, the parent raises it
            outcome = error
        try:
            pipe.send(outcome)
        except BrokenPipeError:
            return
