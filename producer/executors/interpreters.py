"""``interpreters``: one sub-interpreter per slot in this process, each with its own GIL.

Needs ``concurrent.interpreters``, which is new in Python 3.14.
"""

import json
import os
import queue
from importlib import import_module
from pathlib import Path
from typing import Any

from poolrace.producer.errors import JobFailed
from poolrace.producer.executors.outcomes import error_to_json, outcome_from_json
from poolrace.producer.executors.threads import Threads
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.compute import Cancelled, compute, slot_name
from poolrace.workers.workloads import make_workload

SETUP = f"""
import runpy
runpy.run_path({str(Path(__file__).with_name("importable.py"))!r})
from poolrace.producer.executors.interpreters import chunk_function
compute_chunk = chunk_function(request, closing)
"""
"""Program that prepares a sub-interpreter, which shares no modules with this one."""


class Interpreters(Threads):
    """Runs chunks in sub-interpreters; a thread per slot waits for the interpreter of its chunk.

    Sub-interpreters share no objects. Chunks go in as two integers, outcomes come back as text, and
    one byte of shared memory tells running chunks to stop.
    """

    name = "interpreters"

    def start(self) -> None:
        """Create the sub-interpreters, and the threads.

        Each takes some 0.3 s of CPU time, because it imports all modules anew.
        """
        interpreters = import_module("concurrent.interpreters")  # new in Python 3.14

        super().start()
        self._stop = bytearray(1)
        self._interpreters: list[Any] = []
        self._idle: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in range(self.slots):
            interpreter = interpreters.create()
            self._interpreters.append(interpreter)
            interpreter.prepare_main(request=self._request(), closing=memoryview(self._stop))
            try:
                interpreter.exec(SETUP)
            except interpreters.ExecutionFailed as error:
                raise JobFailed(
                    f"a slot did not start on {self.host}: {error.excinfo.msg}"
                ) from error
            self._idle.put(number)

    def close(self) -> None:
        """End the threads and the interpreters; a running chunk stops at its next point."""
        self._stop[0] = 1
        super().close()
        for interpreter in self._interpreters:
            interpreter.close()

    def _request(self) -> str:
        """The workload and the host, as JSON."""
        workload = self.job.workload
        return json.dumps([workload.name, workload.parameters(), self.host])

    def _compute(self, chunk: Chunk) -> ChunkResult:
        number = self._idle.get()  # there is one for each thread
        try:
            text = self._interpreters[number].call(_compute_chunk, chunk.start, chunk.stop)
        finally:
            self._idle.put(number)
        result = outcome_from_json(json.loads(text))
        # Each interpreter numbers its own slots, from 0 on.
        return result._replace(slot=slot_name(os.getpid(), number))


def _compute_chunk(start: int, stop: int) -> str:
    """Compute a chunk; called in a sub-interpreter, in which ``SETUP`` has run."""
    import __main__  # noqa: PLC0415 # that of the sub-interpreter

    outcome: str = __main__.compute_chunk(start, stop)
    return outcome


def chunk_function(request: str, closing: "memoryview[int]") -> Any:
    """The function that computes a chunk in a sub-interpreter, and returns its outcome as JSON."""
    name, parameters, host = json.loads(request)
    workload = make_workload(name, parameters)

    def cancellation_point() -> None:
        if closing[0]:
            raise Cancelled

    def compute_chunk(start: int, stop: int) -> str:
        try:
            result = compute(
                workload, Chunk(start, stop), host, cancellation_point=cancellation_point
            )
            return json.dumps(result.to_json())
        except Exception as error:  # noqa: BLE001 # the executor raises it
            return json.dumps(error_to_json(error))

    return compute_chunk
