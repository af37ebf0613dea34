"""The base class of executors that send chunks in batches, and check for lost and slow ones.

The way a batch takes is the subclass's: ``pool.py`` sends it through Redis to Celery workers,
``simulated/`` through a simulation in virtual time.
"""

import logging
import math
from collections import Counter, deque
from collections.abc import Mapping, Sequence

from poolrace.producer.broker.workers import WorkerWatch
from poolrace.producer.executors.base import Executor
from poolrace.producer.executors.celery.base_messages import BaseMessages, Failure, TaskResult
from poolrace.producer.executors.celery.in_flight import Batch, InFlight, parts_of
from poolrace.producer.executors.celery.recovery import Recovery
from poolrace.producer.jobs.job import Job
from poolrace.producer.results.run import ChunkMark, UntimedEvent
from poolrace.workers.chunks import Chunk, ChunkResult

IDLE_CHECK_S = 0.05
"""Seconds between two checks for slow batches, while slots are idle."""

logger = logging.getLogger(__name__)


class BatchExecutor(Executor):
    """Sends the chunks of a job in batches; sends lost, failed and slow ones again.

    ``limit`` is the most batches in flight, ``None`` for no limit. The ``start`` of a subclass sets
    the four attributes without a value.
    """

    _workers: WorkerWatch
    _messages: BaseMessages
    _in_flight: InFlight
    _recovery: Recovery

    def __init__(self, job: Job, limit: int | None) -> None:
        self.job = job
        self.counts: Counter[str] = Counter()
        self.slots = 1
        self._limit = limit
        self._waiting: deque[Chunk] = deque()
        self._events: list[UntimedEvent] = []
        self._notes: list[UntimedEvent] = []
        self._marks: dict[Chunk, ChunkMark] = {}
        self._backed_up_at = -math.inf

    def submit(self, chunks: Sequence[Chunk]) -> None:
        """Send the chunks, as far as the limit on batches in flight allows."""
        self._waiting.extend(chunks)
        self._send_waiting()

    def collect(self, timeout_s: float) -> list[ChunkResult]:
        """Return the results that arrived, and stored results that were not delivered."""
        if self._idle_slots > 0 and self._in_flight:
            timeout_s = min(timeout_s, IDLE_CHECK_S)
        results = self._take_all(self._receive(timeout_s))
        if self._recovery.due:
            results += self._take_all(self._check())
        self._send_waiting()
        self._back_up()
        return results

    def take_events(self) -> list[UntimedEvent]:
        """Return the events since the last call: workers joined, connection lost, chunks resent."""
        events = list(self._events)
        self._events.clear()
        return events

    def take_marks(self) -> Mapping[Chunk, ChunkMark]:
        """Return the chunks of the last ``collect`` that were sent more than once, and why."""
        marks, self._marks = self._marks, {}
        return marks

    @property
    def _idle_slots(self) -> int:
        """Number of slots for which there is no chunk, 0 or less if chunks wait."""
        return 0 if self._waiting else self.slots - len(self._in_flight)

    def _count_slots(self) -> None:
        self.hosts = self._workers.hosts
        # While no worker is present, keep the number of slots: the workers may come back.
        present = self._workers.slots or self.slots
        self.slots = min(self._limit, present) if self._limit else present

    def _check(self) -> list[TaskResult]:
        """Check workers and batches in flight; returns results that were not delivered."""
        undelivered = self._recovery.check()
        self._count_slots()
        return undelivered

    def _back_up(self) -> None:
        """Send backups of slow batches to idle slots, and check rarely: it looks at all batches."""
        now = self._messages.clock()
        if self._idle_slots > 0 and now - self._backed_up_at >= IDLE_CHECK_S:
            self._backed_up_at = now
            self._recovery.back_up(self._idle_slots)

    def _send_waiting(self) -> None:
        room = self._limit - len(self._in_flight) if self._limit else len(self._waiting)
        self._messages.send(self._next_batches(room))

    def _next_batches(self, room: int) -> list[Batch]:
        """The waiting chunks in batches, at most ``room`` of them; some chunks may still wait."""
        batches: list[Batch] = []
        while self._waiting and len(batches) < room:
            batch = self._in_flight.next_batch(
                self._waiting, self.slots, len(batches), len(self.hosts)
            )
            if not batch:
                break
            batches.append(batch)
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
            for sent_again in (*parts_of(chunks), *((chunk,) for chunk in chunks)):
                if part := self._in_flight.get(self._messages.task_id(sent_again)):
                    self._marks |= dict.fromkeys(sent_again, part.mark)
                    self._in_flight.drop([part.task_id])
            return result.outcome
        if batch.chunks != chunks:
            logger.warning("task %s returned chunks other than %s; its result is ignored",
                           result.task_id, batch)  # fmt: skip
            return []
        self._in_flight.mark_done(batch, result.outcome, self._messages.clock())
        if batch.mark:
            self._marks |= dict.fromkeys(chunks, batch.mark)
        return result.outcome
