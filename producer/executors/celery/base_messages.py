"""The base class of messages: the batches in flight of a job, sent to the slots of a pool.

A subclass sends the messages: ``messages.py`` to Celery workers, ``simulated/messages.py`` to
simulated ones.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from poolrace.producer.executors.celery.in_flight import Batch, InFlight, InFlightBatch, parts_of
from poolrace.producer.jobs.job import Job
from poolrace.workers.app import ON_HOST
from poolrace.workers.chunks import ChunkResult


@dataclass(frozen=True)
class Failure:
    """The error that the code of a chunk in a batch raised."""

    kind: str
    """Name of the exception's type."""
    text: str
    traceback: str

    @property
    def host(self) -> str:
        """Name of the host where the chunk failed, empty if the worker did not report it."""
        _, _, host = self.traceback.rpartition(f"\n{ON_HOST}")
        return host


@dataclass(frozen=True)
class TaskResult:
    """The result of the task that computed a batch."""

    task_id: str
    outcome: list[ChunkResult] | Failure


class BaseMessages(ABC):
    """Sends the batches of one job, and receives their results.

    ``clock`` returns the seconds of a monotonic clock.
    """

    def __init__(self, job: Job, clock: Callable[[], float]) -> None:
        self.in_flight = InFlight(job.workload.cost, job.missing_cost(job.ledger()))
        self.reconnects = 0
        """Number of new subscriptions after a lost connection; results may have been missed."""
        self.unconfirmed = 0
        """Number of pipelines that Redis did not confirm; their messages may arrive twice."""
        self.clock = clock
        self._job = job

    def task_id(self, batch: Batch) -> str:
        """The task id of a batch; it stays the same when the batch is sent again."""
        return self._task_id(f"{batch[0].start}-{batch[-1].stop}")

    def send(self, batches: Iterable[Batch]) -> list[InFlightBatch]:
        """Send batches, for the first time or again; the ledger counts each chunk once."""
        by_id = {self.task_id(batch): batch for batch in batches}
        self._send(by_id)
        now = self.clock()
        return [self.in_flight.mark_sent(task_id, batch, now) for task_id, batch in by_id.items()]

    def send_in_parts(self, batch: InFlightBatch) -> None:
        """Send a batch again in the parts of ``parts_of``, to isolate a faulty chunk."""
        self.in_flight.drop([batch.task_id])
        for part in self.send(parts_of(batch.chunks)):
            part.attempts, part.losses = batch.attempts, batch.losses
            part.rejections, part.mark = batch.rejections, batch.mark

    def send_backups(self, batches: Iterable[InFlightBatch]) -> None:
        """Send batches a second time, while the first worker still computes them."""
        self._send({batch.task_id: batch.chunks for batch in batches})

    @abstractmethod
    def subscribe(self) -> None:
        """Subscribe to the results of the job, on a new connection."""

    @abstractmethod
    def receive(self, timeout_s: float) -> list[TaskResult]:
        """The results that were pushed: at least one, or none after ``timeout_s`` seconds."""

    @abstractmethod
    def read_stored(self, batches: Iterable[InFlightBatch]) -> list[TaskResult]:
        """The stored results of these batches, delivered by push or not."""

    @abstractmethod
    def delete_result(self, batch: InFlightBatch) -> None:
        """Delete the stored result of a batch that is sent again."""

    @abstractmethod
    def consumers(self) -> set[str]:
        """Names of all workers that consume the queue, poolrace's and others."""

    @abstractmethod
    def dismiss(self, names: Iterable[str]) -> None:
        """Tell these workers to stop consuming the queue."""

    @abstractmethod
    def _send(self, batches: Mapping[str, Batch]) -> None:
        """Put batches into the queue, by task id."""

    def _task_id(self, suffix: str) -> str:
        return f"{self._job.key}.{suffix}"
