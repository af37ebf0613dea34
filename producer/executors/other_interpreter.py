"""Runs chunks with a local model in a process of another Python interpreter."""

import json
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from poolrace.producer.errors import ChunkFailed, JobFailed
from poolrace.producer.executors.base import LocalExecutor
from poolrace.producer.executors.outcomes import chunk_to_json, outcome_from_json
from poolrace.producer.interpreters import ISOLATED, run_isolated
from poolrace.producer.jobs.job import Job
from poolrace.producer.results.interpreter import Interpreter
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.host_facts import HostFacts

SCRIPT = str(Path(__file__).with_name("serve_chunks.py"))
"""Program that the other interpreter runs."""

START_S = 60.0
"""Seconds within which the process must be ready; it takes 0.2 s, and up to 10 s on a busy
machine."""

END_S = 5.0
"""Seconds within which a process that has closed its output ends, before it is killed."""

READ_BYTES = 1 << 16
"""Bytes that are read at once: the capacity of a pipe."""


def require_modules(interpreter: Interpreter) -> None:
    """Raise ``UsageError`` unless the interpreter can import all modules that compute chunks."""
    run_isolated(interpreter.path, [SCRIPT])


class OtherInterpreter(LocalExecutor):
    """Runs chunks with the local model ``name`` under another interpreter.

    The process computes with the same code as this one, and exchanges JSON lines with it. It leads
    a process group of its own: a terminal sends no Ctrl-C there, and all processes of the group
    end together.
    """

    def __init__(
        self, job: Job, slots: int, host: HostFacts, name: str, interpreter: Interpreter
    ) -> None:
        self.name = name
        super().__init__(job, slots, host)
        self.model = f"local:{name} @ {interpreter.label}"
        self._path = interpreter.path
        self._process: subprocess.Popen[bytes] | None = None
        self._slot_pids: list[int] = []
        self._unfinished: dict[Chunk, None] = {}
        """The chunks without a result, in the order in which they were submitted."""
        self._partial_line = b""

    def start(self) -> None:
        """Start the process, and wait until its slots are ready."""
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115 # closed by close
        self._process = process = subprocess.Popen(
            [self._path, *ISOLATED, SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._messages,
            bufsize=0,  # a read returns the bytes available, and does not wait for more
            process_group=0,
        )
        self._selector = selectors.DefaultSelector()
        if process.stdout:
            self._selector.register(process.stdout, selectors.EVENT_READ)
        self._write(self._request())
        deadline = time.monotonic() + START_S
        while not (lines := self._read_lines(max(0.0, deadline - time.monotonic()))):
            if time.monotonic() > deadline:
                raise JobFailed(f"{self._path} was not ready within {START_S:g} s on {self.host}")
        ready = json.loads(lines[0])
        if "pids" not in ready:
            outcome_from_json(ready)
        self._slot_pids = ready["pids"]

    def close(self) -> None:
        """Kill the process with all processes that it started."""
        if self._process is None:
            return
        self._kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                stream.close()
        self._selector.close()
        self._messages.close()
        self._process = None

    def submit(self, chunks: Sequence[Chunk]) -> None:
        """Send the chunks to the process, where they wait for a slot."""
        self._unfinished.update(dict.fromkeys(chunks))
        self._write([chunk_to_json(chunk) for chunk in chunks])

    def collect(self, timeout_s: float) -> list[ChunkResult]:
        """Return the results that the process has sent."""
        results = [self._result(line) for line in self._read_lines(timeout_s)]
        for result in results:
            self._unfinished.pop(result.chunk, None)
        return results

    @property
    def slot_pids(self) -> Sequence[int]:
        """Process ids of the process and of its slots."""
        return [*([self._process.pid] if self._process else []), *self._slot_pids]

    def _request(self) -> dict[str, Any]:
        """The job and the model, as the first line for the process."""
        workload = self.job.workload
        return {
            "model": self.name,
            "slots": self.slots,
            "workload": workload.name,
            "parameters": workload.parameters(),
            "start": self.job.start,
            "stop": self.job.stop,
            "job": self.job.id,
            "host": self.hosts[0].to_json(),
        }

    def _write(self, value: Any) -> None:
        if self._process and self._process.stdin:
            with suppress(BrokenPipeError):  # the process died: collect raises the error
                _write_all(self._process.stdin.fileno(), json.dumps(value).encode() + b"\n")

    def _read_lines(self, timeout_s: float) -> list[bytes]:
        """The complete lines that arrived; at least one, or none after ``timeout_s`` seconds."""
        deadline = time.monotonic() + timeout_s
        while self._selector.select(max(0.0, deadline - time.monotonic())):
            [key] = self._selector.get_map().values()
            part = os.read(key.fd, READ_BYTES)
            if not part:
                raise self._death()
            *lines, self._partial_line = (self._partial_line + part).split(b"\n")
            if lines:
                return lines
        return []

    def _result(self, line: bytes) -> ChunkResult:
        try:
            return outcome_from_json(json.loads(line))
        except ValueError as error:
            raise JobFailed(
                f"{self._path} sent {line[:80]!r} in place of a result on {self.host}: {error}"
            ) from error

    def _death(self) -> JobFailed:
        """The error to raise: the process has closed its output."""
        process = self._process
        if process is None:
            return JobFailed(f"{self._path} has ended on {self.host}")
        with suppress(subprocess.TimeoutExpired):  # its end sets the exit code that is reported
            process.wait(END_S)
        self._kill()
        self._messages.seek(0)
        lines = self._messages.read().decode(errors="replace").split("\n")
        last = next((f": {line[:200]}" for line in reversed(lines) if line.strip()), "")
        died = f"its process {process.pid} of {self._path} died with exit code {process.returncode}"
        if not self._unfinished:
            return JobFailed(f"an idle slot failed on {self.host}: {died}{last}")
        first = next(iter(self._unfinished))
        return ChunkFailed(f"chunk {first} failed on {self.host}: {died}{last}")

    def _kill(self) -> None:
        """Kill the process group, and wait for its leader."""
        if self._process:
            with suppress(ProcessLookupError, PermissionError):  # all of them have ended
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
