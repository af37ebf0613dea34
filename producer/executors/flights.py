"""The chunks in flight, and the one rule that keeps a job alive: a chunk that has been nowhere
for ``MISSING_S`` is sent again.

Somewhere is the queue, or a worker that gives signs and tells with them that it holds the
chunk. Whatever happened to the rest, a worker killed, stopped, cut off or started
again, a message lost on the way, a Redis emptied, looks the same from here and is mended the
same way. Pure: it reads no clock and sends nothing; times are seconds by any one clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from workers.chunks import Chunk, ChunkResult
from workers.presence import Presence

FRESH_S = 1.5
"""For so long a chunk is trusted to be where it was sent, or seen last: nobody looks for it."""

MISSING_S = 3.0
"""Workers sign every second, and the producer looks every second: a chunk that only moved from
the queue to a worker is found again well before."""

MAX_ATTEMPTS = 3
"""How often the code of a chunk may raise, or run out of time, before its job fails."""

MAX_LOSSES = 6
"""How often a chunk may vanish before its job fails: it may be what ends its workers."""

SLOW = 3.0
SLOW_S = 1.0
"""A chunk is slow, and gets a backup on an idle slot, when it takes so many times as long as
others of its size, and so many seconds more."""


@dataclass
class Flight:
    """One chunk on its way."""

    task_id: str
    chunk: Chunk
    seen: float
    """When it was sent, or known to be somewhere, last."""
    holder: Presence | None = None
    """The worker that held it when it was seen last; ``None`` while it is queued."""
    held_since: float = 0.0
    attempts: int = 0
    """How often its code failed."""
    losses: int = 0
    backed_up: bool = False


class Flights:
    """All chunks in flight of one job."""

    def __init__(self) -> None:
        self._flights: dict[str, Flight] = {}
        self._indices = 0
        self._seconds = 0.0

    def __len__(self) -> int:
        return len(self._flights)

    def __iter__(self) -> Iterator[Flight]:
        return iter(list(self._flights.values()))

    def get(self, task_id: str) -> Flight | None:
        """The flight of that task, if it is under way."""
        return self._flights.get(task_id)

    def sent(self, task_id: str, chunk: Chunk, now: float) -> None:
        """A chunk was sent, for the first time or again."""
        flight = self._flights.setdefault(task_id, Flight(task_id, chunk, now))
        flight.seen = now
        flight.holder = None

    def landed(self, task_id: str, result: ChunkResult) -> None:
        """Its result is there."""
        self._flights.pop(task_id, None)
        self._indices += len(result.chunk)
        self._seconds += result.duration_s

    def stale(self, now: float) -> list[Flight]:
        """Those to look for."""
        return [flight for flight in self if now - flight.seen > FRESH_S]

    def found(self, flight: Flight, holder: Presence | None, when: float) -> None:
        """It was seen in the queue, or with that worker."""
        if holder is not None and (flight.holder is None or holder.since != flight.holder.since):
            flight.held_since = when
        flight.holder = holder
        flight.seen = max(flight.seen, when)

    def unwatched(self, seconds: float) -> None:
        """Nobody could look for so long, as when Redis was away: it proves nothing missing."""
        for flight in self if seconds > 0 else ():
            flight.seen += seconds

    def missing(self, now: float) -> list[Flight]:
        """Those that have been nowhere for too long."""
        return [flight for flight in self if now - flight.seen > MISSING_S]

    def slow(self, now: float, idle: int) -> list[Flight]:
        """Those that one of so many idle slots should compute too, the slowest first."""
        if idle <= 0 or not self._indices:
            return []
        pace_s = self._seconds / self._indices
        late = [
            (now - flight.held_since, flight)
            for flight in self
            if flight.holder is not None
            and not flight.backed_up
            and now - flight.held_since > SLOW * pace_s * len(flight.chunk) + SLOW_S
        ]
        late.sort(key=lambda pair: -pair[0])
        return [flight for _, flight in late[:idle]]
