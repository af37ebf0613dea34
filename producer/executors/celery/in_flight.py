"""The batches in flight: sent to a pool, with no result yet.

Pure: this module reads no clock and sends nothing; all times are seconds of one monotonic clock.
"""

import heapq
import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from poolrace.producer.jobs.message_costs import messages_s
from poolrace.producer.jobs.schedules import Cost, index_count
from poolrace.producer.results.run import ChunkMark
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.runtime.presence import Presence

Batch = tuple[Chunk, ...]
"""The chunks of one message, in order: one long chunk, or several short ones."""

BATCH_S = 0.04
"""Seconds that a batch of short chunks keeps a slot busy, at most: a message costs about 1 ms of
CPU time, and its slot waits up to 10 ms for the next one while all cores compute."""

BATCH_CHUNKS = 500
"""Chunks per batch at most, however short they are: a message costs 2 to 4 us for each of them."""

SINGLE_CHUNKS = 100
"""Chunks of a batch up to which it is sent again as single chunks. A larger one is sent again in
parts first: so many single messages would take longer than all chunks, and be lost the same way."""

CHUNK_S = 0.00001
"""Seconds that a chunk keeps its slot busy besides its duration: decoding, encoding, measuring."""

SHARED_S = 0.004
"""Seconds of a batch that idle slots do not share: their messages would cost as much."""

BATCH_SHARE = 0.5
"""Part of a slot's share of the work left that a batch of several chunks is at most."""

FEW_MESSAGES_S = 0.2
"""Seconds that the messages of short batches take while the work done doubles, at most. A batch of
``SHARED_S`` may have as much of it as that allows, even if that is more than ``BATCH_SHARE`` of
what is left: else the process of a thousand greenlets handles single messages for many seconds."""

AHEAD_BATCHES = 2
"""Batches in flight per slot from which on short chunks wait until they fill a batch: one runs, and
one is queued. Otherwise each short batch that ends would make room for another short one."""

SLOW_FACTOR = 2.0
"""Multiple of its expected duration after which a batch counts as slow while slots are idle."""

SLOW_S = 0.2
"""Seconds beyond ``SLOW_FACTOR`` times its expected duration after which a batch counts as slow,
at least: it may have waited in the queue for ``AHEAD_S``. ``SLOW_FACTOR`` times the time that other
batches waited takes its place, if that is longer: one process handles the messages of a thousand
greenlets, which takes a second, and a backup would be one message more."""

WAITS_AVERAGED = 16
"""Number of newest results over which the waiting time of batches is averaged."""

FALLEN_PACE = 0.9
"""Share of the pace of the last search for slow batches, below which a batch may be slow sooner
than that search foresaw. An error of this share matters to no backup."""

BATCH_BYTES = 100_000
"""Bytes of the values in the result of a batch, at most: Redis refuses values of 1 MiB."""


def parts_of(batch: Batch) -> list[Batch]:
    """The parts in which a batch is sent again: single chunks, each in its own message, or, of a
    large batch, batches that become single chunks the next time."""
    size = 1 if len(batch) <= SINGLE_CHUNKS else math.isqrt(len(batch))
    return [batch[first : first + size] for first in range(0, len(batch), size)]


def describe(batch: Batch) -> str:
    """The range of the batch, for messages and logs."""
    if len(batch) == 1:
        return str(batch[0])
    return f"{Chunk(batch[0].start, batch[-1].stop)} in {len(batch)} chunks"


@dataclass
class InFlightBatch:
    """A batch in flight: its chunks, its times, its worker and its failures."""

    task_id: str
    chunks: Batch
    seen_at: float = 0.0
    """Time at which the batch was sent, or last seen in the queue or with a worker."""
    sent_at: float = 0.0
    """Time at which the batch was sent last."""
    queued_until: float = 0.0
    """Time at which the batch was queued for certain: when it was sent, or last seen in the queue.
    Its slot took it later."""
    cost: float = 0.0
    """The relative time that the chunks take."""
    holder: Presence | None = None
    """The worker that held the batch when it was last seen; ``None`` while it is queued."""
    held_since: float = 0.0
    """Time at which the holder was first seen with the batch."""
    attempts: int = 0
    """Number of failed attempts to compute the batch."""
    losses: int = 0
    """Number of times that the batch was lost."""
    rejections: int = 0
    """Number of times that a worker without the task took the batch."""
    rejected: bool = False
    """Whether such a worker took it last, so that it waits to be sent again."""
    backed_up: bool = False
    """Whether a backup of the batch was sent to an idle slot."""
    mark: ChunkMark = ""
    """Reason why the batch was sent more than once, last."""

    @property
    def host(self) -> str:
        """Name of the host that held the batch when it was last seen; empty while it is queued."""
        return self.holder.host.host if self.holder else ""

    @property
    def indices(self) -> int:
        """Number of indices in all chunks of the batch."""
        return sum(map(len, self.chunks))

    def __str__(self) -> str:
        return describe(self.chunks)


class InFlight:
    """All batches in flight of one job, by task id.

    ``cost`` returns the relative time that a range of indices takes, ``total_cost`` is that of
    all indices that are to be computed.
    """

    def __init__(self, cost: Cost = index_count, total_cost: float = math.inf) -> None:
        self._batches: dict[str, InFlightBatch] = {}
        self._cost = cost
        self._cost_left = total_cost
        """The relative time of all chunks that are in no batch yet, also of those not cut yet."""
        self._done_cost = 0.0
        self._done_s = 0.0
        self._recent_cost_s = math.inf
        self._slow_from = -math.inf
        """Time before which no batch in flight is slow, by the pace at the last search."""
        self._searched_cost_s = 0.0
        """Seconds per unit of cost at the last search for slow batches."""
        self._waited_s = 0.0
        """Seconds that batches waited besides their chunks, averaged over the newest results."""
        self._largest_value_bytes = 1

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[InFlightBatch]:
        return iter(list(self._batches.values()))

    def get(self, task_id: str) -> InFlightBatch | None:
        """The batch with that task id, ``None`` if it is not in flight."""
        return self._batches.get(task_id)

    def next_batch(
        self, waiting: deque[Chunk], slots: int, unsent: int = 0, hosts: int = 1
    ) -> Batch:
        """Take the next batch from the waiting chunks; none if they should wait for more chunks.

        ``unsent`` batches were taken and are not in flight yet. At the recent pace a batch keeps a
        slot busy for ``BATCH_S`` at most. While slots are idle, a batch longer than ``SHARED_S``
        also takes no more than its share, so that each idle slot gets a batch. Later chunks may
        take a thousand times as long as the recent ones, so a batch of several has no more than
        ``BATCH_SHARE`` of what is left for a slot (but see ``FEW_MESSAGES_S``).
        """
        sent = len(self) + unsent
        share = -(-len(waiting) // max(slots - sent, 1))
        most = max(min(len(waiting), BATCH_CHUNKS, BATCH_BYTES // self._largest_value_bytes), 1)
        most_of_left = BATCH_SHARE * self._cost_left / slots
        most_of_done = messages_s(1, hosts) / FEW_MESSAGES_S * self._done_cost
        cost = batch_cost = seconds = 0.0
        length = 0
        for chunk in islice(waiting, most):
            cost += self._cost(chunk.start, chunk.stop)
            longer_s = cost * self._recent_cost_s + (length + 1) * CHUNK_S
            if cost <= most_of_left:
                most_s = BATCH_S if length < share else SHARED_S
            else:
                most_s = SHARED_S if cost <= most_of_done else 0.0
            # Not a number for empty chunks before the first result: each has its own batch.
            if length and not longer_s <= most_s:
                break
            batch_cost, seconds, length = cost, longer_s, length + 1
        is_short = length == len(waiting) < BATCH_CHUNKS and seconds < BATCH_S / 2
        if is_short and sent >= AHEAD_BATCHES * slots:
            return ()
        self._cost_left -= batch_cost
        return tuple(waiting.popleft() for _ in range(length))

    def mark_sent(self, task_id: str, chunks: Batch, now: float) -> InFlightBatch:
        """Add a batch that was sent, for the first time or again."""
        batch = self._batches.get(task_id)
        if batch is None:
            batch = InFlightBatch(task_id, chunks, cost=self._cost_of(chunks))
            self._batches[task_id] = batch
        batch.seen_at = batch.sent_at = batch.queued_until = now
        batch.holder = None
        self._slow_from = min(self._slow_from, self._slow_at(batch))
        return batch

    def mark_seen(self, batch: InFlightBatch, holder: Presence | None, when: float) -> None:
        """Record that a batch was seen in the queue (no holder), or with a worker."""
        if holder is None:
            batch.queued_until = when
        elif batch.holder is None or holder.since != batch.holder.since:
            batch.held_since = when
        batch.holder = holder
        batch.seen_at = max(batch.seen_at, when)

    def drop(self, task_ids: Iterable[str]) -> None:
        """Remove the batches with these task ids; other ids are ignored."""
        for task_id in task_ids:
            self._batches.pop(task_id, None)

    def mark_done(self, batch: InFlightBatch, results: Sequence[ChunkResult], now: float) -> None:
        """Remove a batch whose results arrived; update pace, waiting time and largest value."""
        self.drop([batch.task_id])
        seconds = sum(result.duration_s for result in results)
        if not batch.mark:
            waited_s = max(now - batch.sent_at - seconds, 0.0)
            self._waited_s += (waited_s - self._waited_s) / WAITS_AVERAGED
        if cost := batch.cost:
            self._done_cost += cost
            self._done_s += seconds
            before_s = self._recent_cost_s if self._recent_cost_s < math.inf else seconds / cost
            self._recent_cost_s = (before_s + seconds / cost) / 2
        largest_bytes = max(result.value.bit_length() // 4 for result in results)
        self._largest_value_bytes = max(self._largest_value_bytes, largest_bytes)

    def slow(self, now: float, most: int) -> list[InFlightBatch]:
        """The batches without a backup that are slow by the mean and by the recent pace, the oldest
        first.

        At most ``most`` of them. A search through all batches follows only after the time at which
        the last search found that the next one may become slow: a batch takes part in one search
        per chunk duration, not in one per call.
        """
        if most <= 0 or not self._done_cost:
            return []
        # The recent pace, too: the first indices of a job may be cheaper than all others.
        cost_s = max(self._done_s / self._done_cost, self._recent_cost_s)
        if now <= self._slow_from and cost_s >= FALLEN_PACE * self._searched_cost_s:
            return []
        self._searched_cost_s = cost_s
        waiting = [
            (self._slow_at(batch), batch) for batch in self._batches.values() if not batch.backed_up
        ]
        self._slow_from = min((slow_at for slow_at, _ in waiting), default=math.inf)
        slow = [batch for slow_at, batch in waiting if now > slow_at]
        return heapq.nsmallest(most, slow, key=lambda batch: batch.sent_at)

    def unseen_for(self, seconds: float, now: float) -> list[InFlightBatch]:
        """The batches that were last seen more than ``seconds`` ago."""
        return [batch for batch in self if now - batch.seen_at > seconds]

    def exclude_time(self, seconds: float) -> None:
        """Exclude the last ``seconds`` from the age of every batch.

        For seconds in which the producer could not check, as while Redis was unreachable: they
        prove no batch lost or slow. A negative number changes nothing.
        """
        for batch in self if seconds > 0 else ():
            batch.seen_at += seconds
            batch.sent_at += seconds
            batch.queued_until += seconds
            batch.held_since += seconds

    def _cost_of(self, chunks: Batch) -> float:
        return sum(self._cost(chunk.start, chunk.stop) for chunk in chunks)

    def _slow_at(self, batch: InFlightBatch) -> float:
        """Time after which the batch is slow, by the pace at the last search."""
        expected_s = batch.cost * self._searched_cost_s
        waits_s = max(SLOW_S, SLOW_FACTOR * self._waited_s)
        return batch.queued_until + SLOW_FACTOR * expected_s + waits_s
