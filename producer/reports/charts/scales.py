"""The scale of an axis: its ends, and whether it is logarithmic."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import altair as alt

MUCH = 4.0
"""Ratio of the largest to the smallest value from which an axis is logarithmic."""

MUCH_FASTER = 60.0
"""Ratio of the largest to the smallest throughput from which its axis is logarithmic: on a linear
one, which begins at 0, all but the fastest candidates would lie on a flat line."""

FEW_POWERS = 4
"""Number of powers of ten on a logarithmic axis up to which values between them have ticks."""


@dataclass(frozen=True)
class Scale:
    """Ends of an axis, and whether it is logarithmic."""

    low: float
    high: float
    log: bool

    @classmethod
    def around(cls, values: Sequence[float]) -> "Scale":
        """A scale with room on both sides of these values, which are not negative."""
        low, high = min(values), max(values)
        if low > 0 and high / low >= MUCH:
            room = (high / low) ** 0.1
            return cls(low / room, high * room, log=True)
        room = (high - low) * 0.18 or high * 0.5 or 1.0
        return cls(max(low - room, 0.0), high + room, log=False)

    @classmethod
    def of_speeds(cls, values: Sequence[float]) -> "Scale":
        """A scale of throughputs with room for labels, from 0 if it is linear."""
        low, high = min(values), max(values)
        if low > 0 and high / low >= MUCH_FASTER:
            return cls(low / 1.3, high * (high / low) ** 0.18, log=True)
        return cls(0.0, high * 1.2 or 1.0, log=False)

    def moved(self, value: float, share: float) -> float:
        """The value moved to the right by a share of the axis."""
        if self.log:
            return value * math.pow(self.high / self.low, share)
        return value + share * (self.high - self.low)

    def place(self, value: float) -> float:
        """The place of a value on the axis, from 0 to 1."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Values with a tick on a logarithmic axis: powers of ten, and their double and fivefold
        if there are few; empty for a linear axis, of which Vega chooses them."""
        if not self.log:
            return []
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)))
        factors = (1, 2, 5) if len(powers) <= FEW_POWERS else (1,)
        ticks = [factor * 10.0**power for power in powers for factor in factors]
        return [tick for tick in ticks if self.low <= tick <= self.high]

    def altair(self) -> "alt.Scale":
        """The scale in Altair's words."""
        import altair as alt  # noqa: PLC0415 # optional: the extra charts

        scale = alt.Scale(domain=[self.low, self.high], nice=False)
        if self.log:
            scale.type = "log"
        return scale
