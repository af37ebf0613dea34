"""The limit on chunks in flight, which adapts to the slots and to how long chunks take. Pure."""

from poolrace.producer.jobs.message_costs import AHEAD_S
from poolrace.producer.jobs.slot_speeds import NOISE_S
from poolrace.workers.chunks import ChunkResult

POLL_S = 0.5
"""Seconds of one wait for results, at most; the observer is called after each wait, to update the
progress bar."""

MAX_CHUNKS_AHEAD = 4096
"""Chunks in flight beyond one per slot, at most, however short the chunks are: two cores compute
60,000 no-op chunks per second, and 6,000 within ``AHEAD_S``."""

FIRST_CHUNKS = 8
"""Chunks in flight at the start of a job, at most."""

GROW_AFTER_S = 0.03
"""Seconds without a result after which the limit on chunks in flight grows fourfold."""


class InFlightLimit:
    """The limit on chunks in flight: one per slot, and as many as end within ``AHEAD_S``.

    A chunk that waits in the queue was cut before the newest results: the fewer wait, the better
    ``auto`` cuts. The limit starts at ``FIRST_CHUNKS`` at most, and grows by one with each result
    of a short chunk, so that ``auto`` sends few of its first chunks, single indices, and does not
    flood hundreds of greenlets. It grows to its end with the first result of a longer chunk, and
    fourfold after a time without results.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._results = 0
        self._most = slots
        self.chunks = min(FIRST_CHUNKS, slots)

    @property
    def timeout_s(self) -> float:
        """Seconds to wait for results until the limit is adapted again."""
        return GROW_AFTER_S if self.chunks < self._most else POLL_S

    def adapt(self, slots: int, *, timed_out: bool) -> None:
        """Adapt to the present number of slots; grow after a wait without results."""
        self._most += slots - self._slots
        self._slots = slots
        if timed_out and self.chunks < self._most:
            self.chunks = min(4 * self.chunks, self._most)

    def observe(self, result: ChunkResult) -> None:
        """Adapt to the duration of a finished chunk."""
        self._results += 1
        self._most = self._slots + self._chunks_ahead(result)
        self.chunks = self._most if result.duration_s > NOISE_S else self.chunks + 1
        self.chunks = min(self.chunks, self._most)

    def _chunks_ahead(self, result: ChunkResult) -> int:
        """Return how many chunks of this duration may be in flight beyond one per slot."""
        within = -(-self._slots * AHEAD_S // max(result.duration_s, 1e-6))
        most = MAX_CHUNKS_AHEAD if self._results >= 8 * self._slots else self._slots
        return int(min(within, most))
