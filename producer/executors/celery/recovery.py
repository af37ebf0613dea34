"""Recovers chunks: sends lost chunks again, retries failed ones, sends backups of slow ones.

A batch counts as lost if for ``LOST_S`` it was neither in the queue nor announced by a worker that
holds it. Then each of its chunks is sent again, in a message of its own. This one rule covers every
fault: a worker killed, suspended, cut off or restarted, a message lost on the way, a Redis emptied.
"""

import logging
import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from poolrace.producer.broker.workers import WorkerWatch
from poolrace.producer.errors import ChunkFailed
from poolrace.producer.executors.celery.base_messages import BaseMessages, Failure, TaskResult
from poolrace.producer.executors.celery.in_flight import InFlightBatch
from poolrace.producer.executors.celery.strays import FAST_REJECTIONS, NOT_REGISTERED, Strays
from poolrace.producer.results.run import UntimedEvent
from poolrace.workers.errors import ChunkTimeout, ClusterError, PoolraceError, UsageError

CHECK_S = 1.0
"""Seconds between two checks of the workers and of the batches in flight."""

TRUSTED_S = 1.5
"""Seconds after a batch was sent or last seen within which a check skips the batch."""

LOST_S = 3.0
"""Seconds after which a batch that no check has seen counts as lost. Workers announce themselves
every second, and a check runs every second: a batch that moves from the queue to a worker is seen
in time."""

MAX_ATTEMPTS = 3
"""Attempts to compute a chunk that raises or exceeds its time limit, before its job fails."""

MAX_LOSSES = 6
"""Losses of one chunk after which its job fails: the chunk itself may kill its workers."""

OVERDUE_S = 10.0
"""Seconds beyond its time limit after which a chunk without a cancellation point counts as hung."""

logger = logging.getLogger(__name__)


class Queue(Protocol):
    """The queue of a pool, as far as a recovery uses it."""

    def task_ids(self) -> set[str]:
        """Task ids of the messages in the queue."""

    def renew(self) -> None:
        """Renew the expiry of the queue."""


@dataclass
class Recovery:
    """Recovers the lost, failed and slow batches of one job on one pool.

    ``counts``, ``events`` and ``notes`` belong to the executor; the recovery adds to them.
    """

    queue: Queue
    workers: WorkerWatch
    messages: BaseMessages
    time_limit_s: float | None
    counts: Counter[str]
    events: list[UntimedEvent]
    notes: list[UntimedEvent]
    """Events that a run reports also if they happened before its clock was started."""
    redis_emptied_at: Callable[[], float] = lambda: -math.inf
    """Returns the second of the clock at which Redis was last found to have lost its data."""

    def __post_init__(self) -> None:
        self._check_began_at = self._check_ended_at = self._progress_at = self.messages.clock()
        self._strays = Strays(self.workers, self.messages, self.notes, self.messages.clock)

    @property
    def due(self) -> bool:
        """Whether it is time for the next check."""
        return self.messages.clock() - self._check_ended_at > CHECK_S

    def note_progress(self) -> None:
        """Record that results arrived: the workers do take messages from the queue."""
        self._progress_at = self.messages.clock()

    def check(self) -> list[TaskResult]:
        """Check the workers and the batches in flight; send lost batches again.

        Returns results that were stored, but not delivered. Raises ``ClusterError`` if there was
        no worker for too long, or none that takes messages; ``ChunkFailed`` for a chunk that was
        lost too often; ``ChunkTimeout`` for a chunk that hangs.
        """
        self.events += self.workers.update()
        self.queue.renew()
        now = self._check_began_at = self.messages.clock()
        in_flight = self.messages.in_flight
        in_flight.exclude_time(now - self._check_ended_at - 2 * CHECK_S)
        unseen = in_flight.unseen_for(TRUSTED_S, now)
        self._locate(unseen, now)
        lost = [batch for batch in unseen if now - batch.seen_at > LOST_S]
        undelivered = self._read_undelivered(lost)
        stored_ids = {result.task_id for result in undelivered}
        self._send_lost([batch for batch in lost if batch.task_id not in stored_ids])
        self._check_ended_at = self.messages.clock()
        return undelivered

    def retry(self, batch: InFlightBatch, failure: Failure) -> None:
        """Send a failed batch again.

        Raises ``ChunkFailed`` or ``ChunkTimeout`` after ``MAX_ATTEMPTS``, and ``UsageError`` at
        once: another attempt would fail with the same wrong parameter.
        """
        if failure.kind == UsageError.__name__:
            raise UsageError(failure.text)
        if failure.kind == NOT_REGISTERED:
            self._send_elsewhere(batch)
            return
        batch.attempts += 1
        if batch.attempts >= MAX_ATTEMPTS:
            raise self._final_error(batch, failure)
        self.counts["retries"] += len(batch.chunks)
        batch.mark = "retried"
        text = f"chunk {batch} failed with {failure.kind}, attempt {batch.attempts + 1} follows"
        self.events.append(UntimedEvent(text, "retried", failure.host or batch.host))
        self.messages.delete_result(batch)
        self.messages.send_in_parts(batch)

    def _send_elsewhere(self, batch: InFlightBatch) -> None:
        """Send a batch again that a stray worker took: one without the task. No failed attempt."""
        self._strays.find()
        self._strays.count_rejection(batch)
        self.messages.delete_result(batch)
        if batch.rejections % FAST_REJECTIONS:
            self.counts["resent"] += len(batch.chunks)
            batch.mark = "resent"
            self.messages.send_in_parts(batch)
        else:
            batch.rejected = True

    def back_up(self, idle_slots: int) -> None:
        """Send backups of the slowest batches to idle slots; the first result counts.

        The backup tasks of Dean and Ghemawat, MapReduce (OSDI 2004), section 3.6.
        """
        in_flight, now = self.messages.in_flight, self.messages.clock()
        slow = in_flight.slow(now, idle_slots)
        if slow:  # batches of another job may be first in the queue
            queued = self.queue.task_ids()
            for batch in slow:
                if batch.task_id in queued:
                    in_flight.mark_seen(batch, None, now)
            slow = [batch for batch in slow if batch.task_id not in queued]
        if not slow:
            return
        self.messages.send_backups(slow)
        for batch in slow:
            batch.backed_up, batch.mark = True, "backup"
        for host, chunks in _chunks_by_host(slow).items():
            self.counts["backups"] += chunks
            text = f"backups of {chunks} slow chunk(s) of {host} were sent to idle slots"
            self.events.append(UntimedEvent(text, "backup", host))

    def _locate(self, unseen: Sequence[InFlightBatch], now: float) -> None:
        """Search the queue and the announcements of the workers for these batches."""
        if not unseen:
            return
        queued = self.queue.task_ids()
        self._require_progress(queued, now)
        in_flight, workers, limited = self.messages.in_flight, self.workers, bool(self.time_limit_s)
        for batch in unseen:
            announcement = workers.holder(batch.task_id)
            announced_at = now - announcement.age_s if announcement else -math.inf
            # An older one is that of a worker which held the batch before it was lost.
            if announcement and announced_at >= batch.sent_at:
                in_flight.mark_seen(batch, announcement.presence, announced_at)
                if limited:
                    self._require_not_hung(batch, now)
            elif batch.task_id in queued:
                in_flight.mark_seen(batch, None, now)

    def _read_undelivered(self, lost: Sequence[InFlightBatch]) -> list[TaskResult]:
        """Read the stored results of lost batches; if there are any, of all batches in flight."""
        undelivered = self.messages.read_stored(lost)
        if not undelivered:
            return []
        text = f"{len(undelivered)} result(s) were not delivered; subscribed again"
        self.events.append(UntimedEvent(text, "reconnected"))
        self.messages.subscribe()
        return self.messages.read_stored(self.messages.in_flight)

    def _send_lost(self, lost: Sequence[InFlightBatch]) -> None:
        for batch in lost:
            if self._has_other_cause(batch):
                continue
            if batch.losses and batch.holder is None and self._strays.find():
                self._strays.count_rejection(batch)  # a stray worker without a result backend
                continue
            batch.losses += 1
            if batch.losses >= MAX_LOSSES:
                raise ChunkFailed(
                    f"chunk {batch} was lost {batch.losses} times, each time with the worker of"
                    f" pool {self.workers.pool} that held it; the chunk itself may kill its workers"
                )
        for host, chunks in _chunks_by_host(lost).items():
            self.counts["resent"] += chunks
            text = f"{chunks} chunk(s){f' of {host}' if host else ''} were lost and sent again"
            self.events.append(UntimedEvent(text, "resent", host))
        for batch in lost:
            batch.mark = "resent"
            self.messages.send_in_parts(batch)

    def _has_other_cause(self, batch: InFlightBatch) -> bool:
        """Whether the loss has another cause than the chunk: a worker on a busy host announces
        itself late, Redis lost its data, or a stray worker took the chunk."""
        announced_late = self.workers.holder(batch.task_id) is not None
        emptied = batch.seen_at < self.redis_emptied_at()
        return announced_late or emptied or batch.rejected

    def _require_not_hung(self, batch: InFlightBatch, now: float) -> None:
        limit_s = (self.time_limit_s or 0) * len(batch.chunks)
        if (
            limit_s
            and batch.indices
            and batch.holder
            and now - batch.held_since > limit_s + OVERDUE_S
        ):
            raise ChunkTimeout(
                f"chunk {batch} hangs on {batch.holder.name}: it has run for more than"
                f" {limit_s:g} s without reaching a cancellation point"
            )

    def _require_progress(self, queued: Collection[str], now: float) -> None:
        """Raise ``ClusterError`` if workers respond, but take nothing from the queue."""
        if self.workers.busy or not queued or not self.workers.responding:
            self._progress_at = now
        elif now - self._progress_at > self.workers.patience_s:
            pool = self.workers.pool
            raise ClusterError(
                f"the workers of pool {pool} are present, but have taken nothing from queue"
                f" {pool!r} for {self.workers.patience_s:g} s; restart them"
            )

    def _final_error(self, batch: InFlightBatch, failure: Failure) -> PoolraceError:
        holder = batch.holder.name if batch.holder else f"pool {self.workers.pool}"
        kind = ChunkTimeout if failure.kind == ChunkTimeout.__name__ else ChunkFailed
        if failure.traceback and kind is ChunkFailed:
            logger.error("the last traceback of chunk %s:\n%s", batch, failure.traceback)
        return kind(
            f"chunk {batch} failed {batch.attempts} time(s), last on"
            f" {failure.host or holder}: {failure.kind}: {failure.text}"
        )


def _chunks_by_host(batches: Sequence[InFlightBatch]) -> Counter[str]:
    """Number of chunks of the batches by the host that held them last."""
    chunks: Counter[str] = Counter()
    for batch in batches:
        chunks[batch.host] += len(batch.chunks)
    return chunks
