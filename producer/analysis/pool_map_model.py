"""Model of a pool map: predicts the throughput of a pool in a cell. Pure.

The model has two laws of queueing theory (Lazowska et al., "Quantitative System Performance", 1984,
chapter 3). The utilisation law: a process that runs one item's Python code at a time completes one
item per CPU time of an item, whatever its slots. Little's law: slots that wait complete one item
each per item time. The lower of the two bounds is the prediction; for items that all take the same
time it is near.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Self

from poolrace.producer.analysis.significance import MARGIN, PairedResult
from poolrace.producer.results.pool_map import MapLap, PoolMap
from poolrace.workers.host_facts import usable_cores

MESSAGE_S = 0.002
"""CPU seconds per message, before a lap has measured them: 1.4 to 4.7 ms were measured."""


@dataclass(frozen=True)
class MapModel:
    """Costs of an item and of its message, from which the throughput of each pool follows."""

    item_s: float
    cores: float
    gil: bool
    """Whether the threads of a process compute one at a time."""
    message_s: Mapping[str, float]
    """Pool -> CPU seconds per message."""

    @classmethod
    def fit(cls, pool_map: PoolMap) -> Self:
        """The model of the map's machine; its laps tell what a message costs in each pool."""
        laps: dict[str, list[MapLap]] = {}
        for map_lap in pool_map.laps:
            laps.setdefault(map_lap.lap.candidate.pool, []).append(map_lap)
        return cls(
            item_s=pool_map.item_s,
            cores=max(1.0, usable_cores(pool_map.environment.hosts)),
            gil=all(host.gil for host in pool_map.environment.hosts),
            message_s={pool: _message_s(pool_map.item_s, own) for pool, own in laps.items()},
        )

    def speed(self, pool: str, share: float, concurrency: int) -> float:
        """Items/s of a pool whose items wait for this share of their time."""
        message_s = self.message_s.get(pool, MESSAGE_S)
        busy_s = max(self.item_s * (1 - share) + message_s, 1e-6)
        parallel = pool == "prefork" or (pool == "threads" and not self.gil)
        cores = min(concurrency, self.cores) if parallel else 1
        return min(concurrency / (self.item_s + message_s), cores / busy_s)

    def fastest(self, pools: Iterable[str], share: float, concurrency: int) -> frozenset[str]:
        """The predicted fastest pool, and those that are predicted to be as fast, to 10 %."""
        speeds = {pool: self.speed(pool, share, concurrency) for pool in pools}
        best = max(speeds.values(), default=0.0)
        return frozenset(pool for pool, speed in speeds.items() if speed * (1 + MARGIN) >= best)

    def compare(self, pool: str, other: str, share: float, concurrency: int) -> PairedResult:
        """Whether a pool is predicted to be faster than another one, slower, or as fast."""
        ratio = self.speed(pool, share, concurrency) / self.speed(other, share, concurrency)
        if ratio > 1 + MARGIN:
            return PairedResult.FASTER
        return PairedResult.SLOWER if ratio * (1 + MARGIN) < 1 else PairedResult.EQUIVALENT


def _message_s(item_s: float, laps: Sequence[MapLap]) -> float:
    """CPU seconds per item beyond those that the item computes."""
    items = sum(map_lap.lap.executions for map_lap in laps)
    computed_s = fsum(item_s * (1 - one.share) * one.lap.executions for one in laps)
    used_s = fsum(map_lap.lap.cpu_s for map_lap in laps)
    return max(0.0, used_s - computed_s) / items if items else MESSAGE_S
