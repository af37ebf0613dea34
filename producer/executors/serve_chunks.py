"""Computes chunks with a local model in an interpreter that has only the standard library.

``PATH -I -S -B serve_chunks.py``, the program at the other end of ``other_interpreter.py``. It
reads one JSON value per line: first the job and the model, then lists of chunks. It writes one per
line: first the process ids of its slots, then the results, or the error that ended a chunk. It ends
when its input ends. Without any input it has only imported all modules, as a check.

A process that a model starts runs the first lines of this file, too.
"""

import json
import os
import runpy
import sys
import threading
from pathlib import Path
from typing import Any

runpy.run_path(str(Path(__file__).with_name("importable.py")))

# ruff: noqa: E402 # these can be imported only now
from poolrace.producer.executors.base import LocalExecutor
from poolrace.producer.executors.coroutines import Coroutines
from poolrace.producer.executors.interpreters import Interpreters
from poolrace.producer.executors.outcomes import chunk_from_json, error_to_json
from poolrace.producer.executors.processes import Processes
from poolrace.producer.executors.single import Single
from poolrace.producer.executors.threads import Threads
from poolrace.producer.jobs.job import Job
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.workloads import make_workload

EXECUTORS: dict[str, type[LocalExecutor]] = {
    cls.name: cls
    for cls in (Single, Threads, Processes, Coroutines, Interpreters)
}
"""Class of each model that needs only the standard library, by its name."""

COLLECT_S = 3600.0
"""Seconds of one wait for results."""


def main() -> None:
    """Compute chunks until the input ends, or a chunk fails."""
    # Output of the interpreter's own, such as a warning, must not get between the results.
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    first_line = sys.stdin.readline()
    if first_line:
        _Server(json.loads(first_line), output).run()


class _Server:
    """Passes chunks from the input to an executor, and its results to the output."""

    def __init__(self, request: dict[str, Any], output: Any) -> None:
        workload = make_workload(request["workload"], request["parameters"])
        job = Job(workload, request["start"], request["stop"], request["job"])
        facts = HostFacts(**request["host"])
        self._executor = EXECUTORS[request["model"]](job, request["slots"], facts)
        self._output = output
        self._unfinished = threading.Semaphore(0)
        """Counts the chunks without a result."""

    def run(self) -> None:
        """Start the executor, and pass on until a chunk fails."""
        try:
            with self._executor:
                self._write({"pids": list(self._executor.slot_pids)})
                threading.Thread(target=self._read, daemon=True).start()
                while True:
                    self._collect()
        except Exception as error:  # noqa: BLE001 # the producer raises it
            self._write(error_to_json(error))

    def _collect(self) -> None:
        with self._unfinished:  # wait until there is a chunk without a result
            pass
        for result in self._executor.collect(COLLECT_S):
            self._unfinished.acquire()  # noqa: SIM115 # this chunk is finished
            self._write(result.to_json())

    def _read(self) -> None:
        """Submit the chunks of each line."""
        for line in sys.stdin:
            chunks = [chunk_from_json(each) for each in json.loads(line)]
            self._executor.submit(chunks)
            self._unfinished.release(len(chunks))
        os._exit(0)  # the producer has ended; processes of the model end with their parent

    def _write(self, value: dict[str, Any]) -> None:
        self._output.write(json.dumps(value) + "\n")
        self._output.flush()


if __name__ == "__main__":
    main()
