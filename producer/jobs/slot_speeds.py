"""The speeds of the slots of a run, as ``auto`` measures them by the results. Pure."""

from poolrace.workers.chunks import ChunkResult

NOISE_S = 0.005
"""Seconds of wall time below which delays of the operating system's scheduler outweigh the work
of the chunk."""

SHORTEST_CHUNK_S = 0.025
"""Seconds of the shortest chunks of ``auto``, at the start and end of a job. A slot then idles for
at most one such chunk, and the messages (about 1 ms each) are too few to matter."""

UNSEEN_SHARE = 0.1
"""Share of the mean speed that ``auto`` expects of a slot without any result, at least."""


class SlotSpeeds:
    """The speed of each slot: cost per second of wall time, of its newest results."""

    def __init__(self) -> None:
        self._speeds: dict[tuple[str, str], float] = {}
        self._sum = 0.0
        self._hosts: set[str] = set()
        self.busy = 0.0
        """Cost per busy second, averaged over the newest results."""
        self._slowest = 0.0
        self._durations_s = 0.0

    @property
    def known(self) -> bool:
        """Whether any result was observed."""
        return bool(self._speeds)

    @property
    def mean(self) -> float:
        """Mean speed of the slots with a result."""
        return self._sum / len(self._speeds)

    def slots_per_host(self) -> float:
        """Number of slots with a result per host with a result."""
        return len(self._speeds) / len(self._hosts)

    def slowest_share(self, slots: int) -> float:
        """Speed of the slowest of so many slots, as a share of the mean speed.

        A slot without any result has computed its first, short chunk for as long as the others
        have computed theirs together.
        """
        share = self._slowest / self.mean
        if len(self._speeds) < slots:
            passed_s = self._durations_s / len(self._speeds)
            share = min(share, max(UNSEEN_SHARE, SHORTEST_CHUNK_S / max(passed_s, 1e-9)))
        return min(share, 1.0)

    def observe(self, result: ChunkResult, cost: float) -> None:
        """Update the speed of the result's slot.

        A short chunk's speed is too low rather than too high. The next chunks are then short
        too, and measured again; an error lasts for a few chunks only.
        """
        busy = cost / max(result.busy_s, 1e-9)
        self.busy = (self.busy + busy) / 2 if self._speeds else busy
        speed = busy if result.duration_s <= NOISE_S else cost / result.duration_s
        key = (result.host, result.slot)
        before = self._speeds.get(key, 0.0)
        self._hosts.add(result.host)
        self._durations_s += result.duration_s
        self._speeds[key] = speed
        self._sum += speed - before
        if speed < self._slowest or not self._slowest:
            self._slowest = speed
        elif before <= self._slowest:
            self._slowest = min(self._speeds.values())
