"""The protocol of an executor: the class that runs chunks under one execution model."""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import Self

from poolrace.producer.errors import ChunkFailed
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import Ledger
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.errors import PoolraceError
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.usage import Usages, usage_of


class Executor(ABC):
    """Runs the chunks of one job on ``slots`` slots, in a stream.

    A context manager: entering starts whatever the model needs, leaving ends it, and nothing
    of a chunk goes on afterwards. ``submit`` and ``collect`` belong to one thread.
    """

    model: str
    """``local:NAME`` or ``celery:NAME``."""
    slots: int
    """How many there are now: hosts may join and leave during a run."""
    counts: Mapping[str, int] = MappingProxyType({})
    """How many chunks were sent more than once, by reason: ``retries resent backups``."""
    hosts: Sequence[HostFacts]
    """Facts of all hosts that were there at any time, known once entered."""

    @abstractmethod
    def start(self) -> None:
        """Start and connect what runs the chunks."""

    @abstractmethod
    def close(self) -> None:
        """End what was started; chunks still running are cancelled and their results lost."""

    @abstractmethod
    def submit(self, chunks: Sequence[Chunk]) -> None:
        """Hand chunks over, in this order. More than there are slots wait for their turn."""

    @abstractmethod
    def collect(self, timeout_s: float) -> list[ChunkResult]:
        """Wait for results: at least one, or none at all after ``timeout_s`` seconds.

        Raises ``ChunkFailed`` when a chunk's code raised or its process died.
        """

    @abstractmethod
    def usage(self, *, reset_peak: bool = False) -> Usages:
        """Counters of everything that takes part in the run."""

    def happened(self) -> list[str]:
        """What happened since the last call that a reader of the results should know."""
        return []

    def checkpoint(self, ledger: Ledger) -> None:  # noqa: B027 # most models keep nothing
        """So much of the job is done; called all the time, and once more when it is complete."""

    def cancel(self, error: BaseException) -> None:  # noqa: B027 # for what goes on by itself
        """The job ends early, with that error; called before ``close``."""

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
    """An executor on this host. A subclass is named after its model."""

    name: str

    def __init__(self, job: Job, slots: int, host: HostFacts) -> None:
        self.job = job
        self.slots = slots
        self.hosts = [host]
        self.model = f"local:{self.name}"

    @property
    def host(self) -> str:
        """The name of this host in results."""
        return self.hosts[0].host

    def usage(self, *, reset_peak: bool = False) -> Usages:
        """Of this process, all its threads together."""
        return {"producer": usage_of([os.getpid()], reset_peak=reset_peak)}

    def failed(self, chunk: Chunk, error: BaseException) -> PoolraceError:
        """The error to raise for a chunk that raised ``error``: a user's mistake stays one."""
        if isinstance(error, PoolraceError):
            return error
        return ChunkFailed(f"chunk {chunk} failed on {self.host}: {type(error).__name__}: {error}")
