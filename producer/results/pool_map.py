"""What a map is made of: laps of each pool at each spot, and who wins there. Pure."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from poolrace.producer.results.race import Lap


@dataclass(frozen=True)
class MapLap:
    """A lap of a pool at one spot of the map."""

    share: float
    """Part of an item's time that it waits, from 0 to 1."""
    lap: Lap


@dataclass(frozen=True)
class PoolMap:
    """A map; raw values, nothing derived."""

    varies: ClassVar[str] = "spot"
    """What its laps differ in."""

    made_at: str
    """When it began: ISO 8601, UTC."""
    item_s: float
    """Seconds that an item takes, alone: it computes, then waits."""
    shares: list[float]
    """Ascending."""
    concurrencies: list[int]
    """Ascending; slots of each pool."""
    repeat: int
    left_out: dict[str, str]
    """Candidate -> why it has no laps."""
    environment: dict[str, Any]
    laps: tuple[MapLap, ...]

    def to_json(self) -> dict[str, Any]:
        """The map as a JSON object."""
        return asdict(self)
