"""Stored data of a pool map: laps of each pool in each cell. Pure; nothing here is derived."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from poolrace.producer.results.race import Lap


@dataclass(frozen=True)
class MapLap:
    """A lap of one pool in one cell of the map."""

    share: float
    """Share of its time that an item waits, from 0 to 1."""
    lap: Lap


@dataclass(frozen=True)
class PoolMap:
    """Data of a pool map: its axes and all laps."""

    varies: ClassVar[str] = "cell"
    """Name of the thing in which the laps differ."""

    made_at: str
    """Start of the measurement: ISO 8601, UTC."""
    item_s: float
    """Seconds that one item takes alone: it computes, then waits."""
    shares: list[float]
    """Waiting shares, ascending."""
    concurrencies: list[int]
    """Slots of each pool, ascending."""
    repeat: int
    left_out: dict[str, str]
    """Candidate -> why it has no laps."""
    environment: dict[str, Any]
    laps: tuple[MapLap, ...]

    def to_json(self) -> dict[str, Any]:
        """The map as a JSON object."""
        return asdict(self)
