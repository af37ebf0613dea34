"""The protocol of an executor: the class that runs chunks under one execution model.

A subclass must define ``start``, ``close``, ``submit``, ``collect`` and ``usage``. Interpreters
that have only the standard library import this module, too: see ``serve_chunks.py``.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Self

from poolrace.producer.errors import ChunkFailed
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import Ledger
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.errors import PoolraceError
from poolrace.workers.host_facts import HostFacts

if TYPE_CHECKING:  # they need msgspec and psutil
    from poolrace.producer.results.run import ChunkMark, UntimedEvent
    from poolrace.workers.usage import Usages

NO_MARKS: "Mapping[Chunk, ChunkMark]" = MappingProxyType({})
"""The marks of an executor that sends each chunk once."""


class Executor(ABC):
    """Runs the chunks of one job on ``slots`` slots, in a stream.

    A context manager: entering starts the processes, threads or connections of the model, leaving
    ends them, and no chunk runs afterwards. ``submit`` and ``collect`` must be called from the
    same thread.
    """

    model: str
    """``local:NAME`` or ``celery:NAME``."""
    slots: int
    """Number of slots now: hosts may join and leave during a run."""
    counts: Mapping[str, int] = MappingProxyType({})
    """Number of chunks that were sent more than once, by reason: ``retries resent backups``."""
    hosts: Sequence[HostFacts]
    """Facts of all hosts that took part at any time; set by ``start``."""

    @abstractmethod
    def start(self) -> None:
        """Start the slots, or connect to the workers, that run the chunks."""

    @abstractmethod
    def close(self) -> None:
        """Stop the slots or disconnect; running chunks are cancelled and not returned."""

    @abstractmethod
    def submit(self, chunks: Sequence[Chunk]) -> None:
        """Run the chunks, in this order; chunks beyond the number of slots wait in a queue."""

    @abstractmethod
    def collect(self, timeout_s: float) -> list[ChunkResult]:
        """Wait for results: at least one, or none after ``timeout_s`` seconds.

        Raises ``ChunkFailed`` if a chunk's code raised or its process died.
        """

    @abstractmethod
    def usage(self, *, reset_peak: bool = False) -> "Usages":
        """Resource usage so far, by process or group of processes of the executor."""

    def take_events(self) -> "list[UntimedEvent]":
        """Return the events since the last call, for the report, such as hosts that joined."""
        return []

    def take_marks(self) -> "Mapping[Chunk, ChunkMark]":
        """Return the chunks of the last ``collect`` that were sent more than once, and why."""
        return NO_MARKS

    def checkpoint(self, ledger: Ledger) -> None:  # noqa: B027 # local models store nothing
        """Store the progress of the job; called after each ``collect``, also after the last."""

    def cancel(self, error: BaseException) -> None:  # noqa: B027 # local models end in close
        """End the job early, because of the error; called before ``close``."""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is not None:
                self.cancel(error)
        finally:
            self.close()


class LocalExecutor(Executor):
    """The base class of executors on this host.

    ``submit`` may be called from another thread than ``collect``, except that of ``greenlets``.
    """

    name: str
    """Name of the model."""

    def __init__(self, job: Job, slots: int, host: HostFacts) -> None:
        self.job = job
        self.slots = slots
        self.hosts = [host]
        self.model = f"local:{self.name}"

    @property
    def host(self) -> str:
        """The name of this host in results."""
        return self.hosts[0].host

    @property
    def slot_pids(self) -> Sequence[int]:
        """Process ids of the slots; none if the slots are in this process."""
        return ()

    def usage(self, *, reset_peak: bool = False) -> "Usages":
        """Resource usage of this process, with all threads, and of the slots' processes."""
        from poolrace.workers.usage import usage_of  # noqa: PLC0415 # it needs psutil

        processes = {"producer": [os.getpid()], "slots": self.slot_pids}
        return {name: usage_of(pids, reset_peak=reset_peak) for name, pids in processes.items()}

    def chunk_error(self, chunk: Chunk, error: BaseException) -> PoolraceError:
        """The error to raise for a chunk whose code raised ``error``.

        A ``PoolraceError`` stays as it is; any other becomes ``ChunkFailed``.
        """
        if isinstance(error, PoolraceError):
            return error
        return ChunkFailed(f"chunk {chunk} failed on {self.host}: {type(error).__name__}: {error}")
