"""The executor of the Celery pools ``prefork``, ``threads``, ``gevent`` and ``solo``.

It sends batches of chunks and receives results (``messages.py``), and once a second checks for
batches that are lost, slow or hung (``recovery.py``).
"""

import logging
import os
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import redis

from poolrace.producer.broker.checkpoint_store import CheckpointWriter
from poolrace.producer.broker.client import (
    KOMBU_ERRORS,
    NO_RETRY,
    TimedRetry,
    connect,
    translate_errors,
)
from poolrace.producer.broker.queues import revoke
from poolrace.producer.broker.workers import WorkerWatch, usage_of_workers
from poolrace.producer.executors.base import Executor
from poolrace.producer.executors.celery.in_flight import Batch
from poolrace.producer.executors.celery.messages import Failure, Messages, TaskResult
from poolrace.producer.executors.celery.recovery import Recovery
from poolrace.producer.jobs.checkpoint import Checkpoint
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import Ledger
from poolrace.producer.jobs.schedules import ScheduleChoice
from poolrace.producer.results.run import ChunkMark, UntimedEvent
from poolrace.producer.settings import Settings
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.errors import ClusterError, UsageError
from poolrace.workers.usage import Usage, Usages, usage_of

logger = logging.getLogger(__name__)


class CeleryPool(Executor):
    """The executor of one Celery pool: all of its workers, on any number of hosts.

    ``slots`` limits the batches in flight; ``None`` uses every slot of the pool. ``schedule`` is
    stored with the job, for ``producer resume``.
    """

    def __init__(
        self, job: Job, pool: str, slots: int | None, schedule: ScheduleChoice, settings: Settings
    ) -> None:
        if not settings.broker_url:
            raise ClusterError("no broker is given; start a cluster with: producer up")
        self.job = job
        self.model = f"celery:{pool}"
        self.counts: Counter[str] = Counter()
        self.slots = 1
        self._pool = pool
        self._limit = slots
        self._broker_url = settings.broker_url
        self._results_url = settings.result_backend or settings.broker_url
        self._settings = settings
        self._patience = TimedRetry(settings.patience_s)
        self._first_checkpoint = Checkpoint(job, pool, slots, schedule)
        self._waiting: deque[Chunk] = deque()
        self._events: list[UntimedEvent] = []
        self._notes: list[UntimedEvent] = []
        self._marks: dict[Chunk, ChunkMark] = {}
        self._exit_stack = ExitStack()

    def start(self) -> None:
        """Find the workers, claim the job, and subscribe to results before any chunk is sent."""
        self._broker = self._connect(self._broker_url)
        self._results = self._connect(self._results_url)
        with translate_errors(self._broker_url):
            self._workers = WorkerWatch.start(self._broker, self._pool, self._patience.seconds)
            self._require_slots()
            self._checkpoints = self._exit_stack.enter_context(
                CheckpointWriter(
                    self._broker, self._first_checkpoint, resumable=self._settings.lasting
                )
            )
            self._notes += self._workers.other_versions()
        for note in self._notes:
            logger.warning("worker %s", note.what)
        self._count_slots()
        self._messages = self._exit_stack.enter_context(
            Messages(self.job, self._pool, self._settings, self._results, self._patience)
        )
        self._in_flight = self._messages.in_flight
        self._recovery = Recovery(
            broker=self._broker,
            workers=self._workers,
            messages=self._messages,
            checkpoints=self._checkpoints,
            time_limit_s=self.job.time_limit_s,
            counts=self.counts,
            events=self._events,
            notes=self._notes,
        )

    def close(self) -> None:
        """Unsubscribe, write the last checkpoint and release the job."""
        self._exit_stack.close()

    def submit(self, chunks: Sequence[Chunk]) -> None:
        """Send the chunks, as far as the limit on batches in flight allows."""
        self._waiting.extend(chunks)
        self._send_waiting()

    def collect(self, timeout_s: float) -> list[ChunkResult]:
        """Return the results that arrived, and stored results that were not delivered."""
        results = self._take_all(self._receive(timeout_s))
        if self._recovery.due:
            results += self._take_all(self._check())
        self._send_waiting()
        return results

    def usage(self, *, reset_peak: bool = False) -> Usages:
        """Resource usage of this process and of the workers with children; CPU time of Redis."""
        with translate_errors(self._broker_url):
            workers = usage_of_workers(self._broker, self._pool, reset_peak=reset_peak)
            info = self._broker.info()
        redis_s = float(info["used_cpu_user"]) + float(info["used_cpu_sys"])
        return {
            "producer": usage_of([os.getpid()], reset_peak=reset_peak),
            **workers,
            f"redis {info['run_id']}": Usage(cpu_s=redis_s),
        }

    def take_events(self) -> list[UntimedEvent]:
        """Return the events since the last call: workers joined, connection lost, chunks resent."""
        events = list(self._events)
        self._events.clear()
        return events

    def take_marks(self) -> Mapping[Chunk, ChunkMark]:
        """Return the chunks of the last ``collect`` that were sent more than once, and why."""
        marks, self._marks = self._marks, {}
        return marks

    def checkpoint(self, ledger: Ledger) -> None:
        """Store the progress of the job; raises ``JobCancelled`` if it was cancelled."""
        self._events += self._notes
        self._notes.clear()
        with translate_errors(self._broker_url):
            self._checkpoints.update(ledger)
            if ledger.complete and (self.counts or self._messages.unconfirmed):
                revoke(self._broker, self._pool, self.job.key)  # copies of finished chunks

    def cancel(self, error: BaseException) -> None:
        """Remove queued messages, and mark the job so that running chunks stop."""
        self._checkpoints.set_error(error)
        for client in (self._broker, self._results):
            client.set_retry(NO_RETRY)  # the run has ended: do not delay the error
        try:
            revoke(self._broker, self._pool, self.job.key)
        except (redis.RedisError, *KOMBU_ERRORS) as trouble:
            logger.warning("chunks in flight were not revoked: %s", trouble)

    def _connect(self, url: str) -> redis.Redis:
        client: redis.Redis = self._exit_stack.enter_context(connect(url, self._settings.ca_file))
        client.set_retry(self._patience)
        return client

    def _require_slots(self) -> None:
        present = self._workers.slots
        if self._limit and self._limit > present:
            raise UsageError(
                f"--slots {self._limit} is more than the {present} slots of pool {self._pool};"
                f" give at most {present}, or start more workers"
            )

    def _count_slots(self) -> None:
        self.hosts = self._workers.hosts
        # While no worker is present, keep the number of slots: the workers may come back.
        present = self._workers.slots or self.slots
        self.slots = min(self._limit, present) if self._limit else present

    def _send_waiting(self) -> None:
        room = self._limit - len(self._in_flight) if self._limit else len(self._waiting)
        self._messages.send(self._next_batches(room))

    def _next_batches(self, room: int) -> list[Batch]:
        """The waiting chunks in batches, at most ``room`` of them."""
        batches: list[Batch] = []
        while self._waiting and len(batches) < room:
            batches.append(self._in_flight.next_batch(self._waiting, self.slots))
        return batches

    def _receive(self, timeout_s: float) -> list[TaskResult]:
        """Receive results; after a reconnect also read the results that were missed."""
        reconnects = self._messages.reconnects
        results = self._messages.receive(timeout_s)
        if self._messages.reconnects > reconnects:
            text = "the connection to Redis was lost and restored"
            self._events.append(UntimedEvent(text, "reconnected"))
            results += self._messages.read_stored(self._in_flight)
        return results

    def _check(self) -> list[TaskResult]:
        """Check workers and batches in flight; returns results that were not delivered."""
        with translate_errors(self._broker_url):
            undelivered = self._recovery.check()
            self._count_slots()
            self._recovery.back_up(0 if self._waiting else self.slots - len(self._in_flight))
        return undelivered

    def _take_all(self, results: Sequence[TaskResult]) -> list[ChunkResult]:
        """The chunk results in task results, which may contain the same task twice."""
        if results:
            self._recovery.note_progress()
        by_task = {result.task_id: result for result in results}
        return [chunk_result for result in by_task.values() for chunk_result in self._take(result)]

    def _take(self, result: TaskResult) -> list[ChunkResult]:
        """The chunk results in a task result; a failed batch is sent again."""
        batch = self._in_flight.get(result.task_id)
        if isinstance(result.outcome, Failure):
            if batch is not None:
                self._recovery.retry(batch, result.outcome)
            return []
        chunks = tuple(chunk_result.chunk for chunk_result in result.outcome)
        if batch is None:  # a late result: the ledger ignores chunks that it has counted
            for chunk in chunks:
                if single := self._in_flight.get(self._messages.task_id((chunk,))):
                    self._marks[chunk] = single.mark
                    self._in_flight.drop([single.task_id])
            return result.outcome
        if batch.chunks != chunks:
            logger.warning("task %s returned chunks other than %s; its result is ignored",
                           result.task_id, batch)  # fmt: skip
            return []
        self._in_flight.mark_done(batch, result.outcome)
        if batch.mark:
            self._marks |= dict.fromkeys(chunks, batch.mark)
        return result.outcome
