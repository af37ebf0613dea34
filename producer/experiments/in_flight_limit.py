"""The limit on chunks in flight, which adapts to the slots and to how long chunks take. Pure."""

from poolrace.producer.jobs.schedules import AHEAD_S
from poolrace.workers.chunks import ChunkResult

POLL_S = 0.5
"""Seconds of one wait for results, at most; the observer is called after each wait, to update the
progress bar."""

MAX_CHUNKS_AHEAD = 1024
"""Chunks in flight beyond one per slot, at most, however short the chunks are."""

FIRST_CHUNKS = 8
"""Chunks in flight at the start of a job, at most."""

GROW_AFTER_S = 0.08
"""Seconds without a result after which the limit on chunks in flight grows fourfold."""


class InFlightLimit:
    """The limit on chunks in flight: two per slot, and more for short chunks.

    The limit starts at one chunk per slot, ``FIRST_CHUNKS`` at most. It grows by one with each
    result once every slot can have had a result, so ``auto`` sends few of its short first chunks
    and does not flood hundreds of greenlets. The limit grows to two per slot at once when a chunk
    mostly waits, and fourfold after a time without results.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._results = 0
        self.chunks = min(FIRST_CHUNKS, slots)

    @property
    def timeout_s(self) -> float:
        """Seconds to wait for results until the limit is adapted again."""
        return GROW_AFTER_S if self.chunks < 2 * self._slots else POLL_S

    def adapt(self, slots: int, *, timed_out: bool) -> None:
        """Adapt to the present number of slots; grow after a wait without results."""
        self._slots = slots
        if timed_out and self.chunks < 2 * slots:
            self.chunks = min(4 * self.chunks, 2 * slots)

    def observe(self, result: ChunkResult) -> None:
        """Adapt to the duration of a finished chunk."""
        self._results += 1
        if result.waited_s > result.cpu_s:
            self.chunks = max(self.chunks, 2 * self._slots)
        if self._results > self._slots:
            self.chunks += 1
        self.chunks = min(self.chunks, self._slots + max(self._slots, self._chunks_ahead(result)))

    def _chunks_ahead(self, result: ChunkResult) -> int:
        """Return how many chunks of this duration may be in flight beyond one per slot."""
        if self._results < 8 * self._slots:
            return 0
        return min(MAX_CHUNKS_AHEAD, round(self._slots * AHEAD_S / max(result.duration_s, 1e-6)))
