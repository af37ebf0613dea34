"""Stored data of a pool map: laps of each pool in each cell. Pure; nothing here is derived."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from poolrace.producer.results.environment import Environment
from poolrace.producer.results.fields import Count, PositiveCount, PositiveSeconds, Share, Time
from poolrace.producer.results.interruption import Interruption
from poolrace.producer.results.race import Lap


@dataclass(frozen=True)
class MapLap:
    """A lap of one pool in one cell of the map."""

    share: Share
    """Share of its time that an item waits, from 0 to 1."""
    lap: Lap


@dataclass(frozen=True)
class PoolMap:
    """Data of a pool map: its axes and all laps."""

    varies: ClassVar[str] = "cell"
    """Name of the thing in which the laps differ."""

    made_at: Time
    """Start of the measurement: ISO 8601, UTC."""
    item_s: PositiveSeconds
    """Seconds that one item takes alone: it computes, then waits."""
    shares: Annotated[list[Share], Meta(min_length=1)]
    """Waiting shares, ascending."""
    concurrencies: Annotated[list[PositiveCount], Meta(min_length=1)]
    """Slots of each pool, ascending."""
    repeat: PositiveCount
    left_out: dict[str, str]
    """Candidate -> why it has no laps."""
    environment: Environment
    laps: Annotated[tuple[MapLap, ...], Meta(min_length=1)]
    complete: bool = True
    """Whether all planned laps were measured."""
    interruption: Interruption = ""
    """Reason why the map is not complete."""
    planned: Count = 0
    """Number of laps that were planned; 0 in files of older versions."""

    def to_json(self) -> dict[str, Any]:
        """The map as a JSON object."""
        return asdict(self)
