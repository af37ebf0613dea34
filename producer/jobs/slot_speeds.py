"""The speeds of the slots of a run, as ``auto`` measures them by the results. Pure."""

import heapq

from poolrace.workers.chunks import ChunkResult

NOISE_S = 0.005
"""Seconds of wall time below which delays of the operating system's scheduler outweigh the work
of the chunk."""

SHORTEST_CHUNK_S = 0.025
"""Seconds of the shortest chunks of ``auto``, at the start and end of a job. A slot then idles for
at most one such chunk, and the messages (about 1 ms each) are too few to matter."""

UNSEEN_SHARE = 0.1
"""Share of the mean speed that ``auto`` expects of a slot without any result, at least."""

SLOWER_AT_MOST = 0.5
"""Share of the mean speed down to which the shortest chunks are cut for the slowest slot. With 0.3,
more messages make jobs of less than 0.5 s longer by 2 %; with 0.7, unequal slots end further
apart."""

FORMER_SPEEDS = 4
"""Entries per slot in the heap of speeds, at most: then it is built anew. That happens once in
three results of each slot, so that a result costs a third of the building for one slot."""


class SlotSpeeds:
    """The speed of each slot: cost per second of wall time, of its newest results."""

    def __init__(self) -> None:
        self._speeds: dict[tuple[str, str], float] = {}
        self._sum = 0.0
        self._cost = self._busy_s = self._waited_s = 0.0
        """Cost, busy seconds and waits of the newest results; each weighs half of the next one."""
        self._by_speed: list[tuple[float, tuple[str, str]]] = []
        """A heap of the newest speed of each slot, and of former ones: their removal would cost a
        search through all slots with each result."""
        self._durations_s = 0.0

    @property
    def known(self) -> bool:
        """Whether any result was observed."""
        return bool(self._speeds)

    @property
    def busy(self) -> float:
        """Cost per busy second of the newest results together, not the mean of their speeds: a
        chunk of a few cheap indices says little about the others."""
        return self._cost / self._busy_s

    @property
    def waiting(self) -> float:
        """Share of waits in the busy time of the newest results."""
        return self._waited_s / self._busy_s

    @property
    def mean(self) -> float:
        """Mean speed of the slots with a result."""
        return self._sum / len(self._speeds)

    def slowest_share(self, slots: int) -> float:
        """Speed of the slowest of so many slots, as a share of the mean speed.

        A slot without any result has computed its first, short chunk for as long as the others
        have computed theirs together.
        """
        share = self._slowest() / self.mean
        if len(self._speeds) < slots:
            passed_s = self._durations_s / len(self._speeds)
            share = min(share, max(UNSEEN_SHARE, SHORTEST_CHUNK_S / max(passed_s, 1e-9)))
        return min(share, 1.0)

    def observe(self, result: ChunkResult, cost: float) -> None:
        """Update the speed of the result's slot.

        A short chunk's speed is too low rather than too high. The next chunks are then short
        too, and measured again; an error lasts for a few chunks only.
        """
        busy_s = max(result.busy_s, 1e-9)
        self._cost = self._cost / 2 + cost
        self._busy_s = self._busy_s / 2 + busy_s
        self._waited_s = self._waited_s / 2 + result.waited_s
        speed = cost / (busy_s if result.duration_s <= NOISE_S else result.duration_s)
        key = (result.host, result.slot)
        before = self._speeds.get(key, 0.0)
        self._durations_s += result.duration_s
        self._speeds[key] = speed
        self._sum += speed - before
        if len(self._by_speed) < FORMER_SPEEDS * len(self._speeds):
            heapq.heappush(self._by_speed, (speed, key))
        else:
            self._by_speed = [(speed, key) for key, speed in self._speeds.items()]
            heapq.heapify(self._by_speed)

    def _slowest(self) -> float:
        """Speed of the slowest slot with a result."""
        while self._speeds[self._by_speed[0][1]] != self._by_speed[0][0]:
            heapq.heappop(self._by_speed)  # a former speed of that slot
        return self._by_speed[0][0]
