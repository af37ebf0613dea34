"""The chunks in flight, and the one rule that keeps a job alive: a batch of chunks that has been
nowhere for ``MISSING_S`` is sent again, each chunk on its own.

Somewhere is the queue, or a worker that gives announcements and tells with them that it holds the
batch. Whatever happened to the rest, a worker killed, stopped, cut off or started
again, a message lost on the way, a Redis emptied, looks the same from here and is mended the
same way. Pure: it reads no clock and sends nothing; times are seconds by any one clock.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.runtime.presence import Presence

Batch = tuple[Chunk, ...]
"""The chunks of one message, in order: one, or several that are short."""

BATCH_S = 0.05
"""Short chunks share a message that keeps a slot busy for about so long: a message costs about
1 ms of CPU time, and its slot waits up to 10 ms for the next one while all cores compute."""

BATCH_CHUNKS = 100
BATCH_BYTES = 100_000
"""A batch has no more chunks, nor so many bytes of results, however short they are: Redis
refuses values of 1 MiB."""

FRESH_S = 1.5
"""For so long a batch is trusted to be where it was sent, or seen last: nobody looks for it."""

MISSING_S = 3.0
"""Workers sign every second, and the producer looks every second: a batch that only moved from
the queue to a worker is found again well before."""

MAX_ATTEMPTS = 3
"""How often the code of a chunk may raise, or run out of time, before its job fails."""

MAX_LOSSES = 6
"""How often a chunk may vanish before its job fails: it may be what ends its workers."""

SLOW = 3.0
SLOW_S = 1.0
"""A batch is slow, and gets a backup on an idle slot, when it takes so many times as long as
others of its size, and so many seconds more."""


def describe(batch: Batch) -> str:
    """The batch in words."""
    if len(batch) == 1:
        return str(batch[0])
    return f"{Chunk(batch[0].start, batch[-1].stop)} in {len(batch)} chunks"


@dataclass
class InFlightBatch:
    """One batch on its way."""

    task_id: str
    batch: Batch
    seen: float
    """When it was sent, or known to be somewhere, last."""
    holder: Presence | None = None
    """The worker that held it when it was seen last; ``None`` while it is queued."""
    held_since: float = 0.0
    attempts: int = 0
    """How often the code of a chunk in it failed."""
    losses: int = 0
    backed_up: bool = False

    @property
    def indices(self) -> int:
        """Of all its chunks."""
        return sum(map(len, self.batch))

    def __str__(self) -> str:
        return describe(self.batch)


class InFlight:
    """All batches in flight of one job."""

    def __init__(self) -> None:
        self._flights: dict[str, InFlightBatch] = {}
        self._indices = 0
        self._seconds = 0.0
        self._index_s = BATCH_S
        self._value_bytes = 1

    def __len__(self) -> int:
        return len(self._flights)

    def __iter__(self) -> Iterator[InFlightBatch]:
        return iter(list(self._flights.values()))

    def get(self, task_id: str) -> InFlightBatch | None:
        """The flight of that task, if it is under way."""
        return self._flights.get(task_id)

    def pack(self, waiting: deque[Chunk], slots: int) -> Batch:
        """Take the chunks of the next message from those that wait, at least one.

        As many as keep a slot busy for ``BATCH_S`` by the newest pace; but idle slots share
        what waits.
        """
        share = -(-len(waiting) // max(slots - len(self), 1))
        most = min(share, BATCH_CHUNKS, BATCH_BYTES // self._value_bytes)
        batch = [waiting.popleft()]
        indices = len(batch[0])
        while waiting and len(batch) < most:
            indices += len(waiting[0])
            if indices * self._index_s > BATCH_S:
                break
            batch.append(waiting.popleft())
        return tuple(batch)

    def sent(self, task_id: str, batch: Batch, now: float) -> InFlightBatch:
        """A batch was sent, for the first time or again."""
        flight = self._flights.setdefault(task_id, InFlightBatch(task_id, batch, now))
        flight.seen = now
        flight.holder = None
        return flight

    def drop(self, task_ids: Iterable[str]) -> None:
        """These will be sent no more, as far as they are under way."""
        for task_id in task_ids:
            self._flights.pop(task_id, None)

    def done(self, flight: InFlightBatch, results: Sequence[ChunkResult]) -> None:
        """The results of a batch are there."""
        self.drop([flight.task_id])
        seconds = sum(result.duration_s for result in results)
        if flight.indices:
            self._indices += flight.indices
            self._seconds += seconds
            self._index_s += (seconds / flight.indices - self._index_s) / 2
        largest = max(result.value.bit_length() // 4 for result in results)
        self._value_bytes = max(self._value_bytes, largest)

    def stale(self, now: float) -> list[InFlightBatch]:
        """Those to look for."""
        return [flight for flight in self if now - flight.seen > FRESH_S]

    def found(self, flight: InFlightBatch, holder: Presence | None, when: float) -> None:
        """It was seen in the queue, or with that worker."""
        if holder is not None and (flight.holder is None or holder.since != flight.holder.since):
            flight.held_since = when
        flight.holder = holder
        flight.seen = max(flight.seen, when)

    def unwatched(self, seconds: float) -> None:
        """Nobody could look for so long, as when Redis was away: it proves nothing missing, and
        nothing slow."""
        for flight in self if seconds > 0 else ():
            flight.seen += seconds
            flight.held_since += seconds

    def missing(self, now: float) -> list[InFlightBatch]:
        """Those that have been nowhere for too long."""
        return [flight for flight in self if now - flight.seen > MISSING_S]

    def slow(self, now: float, idle: int) -> list[InFlightBatch]:
        """Those that one of so many idle slots should compute too, the slowest first."""
        if idle <= 0 or not self._indices:
            return []
        pace_s = self._seconds / self._indices
        late = [
            (now - flight.held_since, flight)
            for flight in self
            if flight.holder is not None
            and not flight.backed_up
            and now - flight.held_since > SLOW * pace_s * flight.indices + SLOW_S
        ]
        late.sort(key=lambda pair: -pair[0])
        return [flight for _, flight in late[:idle]]
