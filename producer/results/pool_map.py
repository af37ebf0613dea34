"""Stored data of a pool map: laps of each pool in each cell. Pure; nothing here is derived."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from poolrace.producer.results.environment import Environment
from poolrace.producer.results.fields import (
    Cores,
    Count,
    PositiveCount,
    PositiveSeconds,
    Seconds,
    Share,
    Time,
)
from poolrace.producer.results.interruption import Interruption
from poolrace.producer.results.race import Lap


@dataclass(frozen=True)
class MapLap:
    """A lap of one pool in one cell of the map."""

    share: Share
    """Share of its time that an item waits, from 0 to 1."""
    lap: Lap
    cores_left: Cores | None = None
    """CPU cores of the machine that other processes left free during the lap; ``None`` in files
    that do not hold it."""


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
    """Laps of each pool in each cell, at most."""
    left_out: dict[str, str]
    """Candidate -> why it has no laps."""
    environment: Environment
    laps: Annotated[tuple[MapLap, ...], Meta(min_length=1)]
    complete: bool = True
    """Whether each cell was measured, or is decided by the model and its neighbours."""
    interruption: Interruption = ""
    """Reason why the map is not complete."""
    planned: Count = 0
    """Number of laps that a complete map would have, at least; 0 in files that do not hold it."""
    budget_s: Seconds = 0.0
    """Time budget in seconds; 0 in files that do not hold it."""
    invocation: str = ""
    """Command line that repeats the measurement; empty in files of older versions."""

    def to_json(self) -> dict[str, Any]:
        """The map as a JSON object."""
        return asdict(self)
