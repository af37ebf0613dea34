"""Compares the pools of a cell of a pool map by few laps, with the noise of its neighbours. Pure.

Two laps of each pool cannot show how far laps scatter. The laps of a cell are a randomised
block design, in which rounds are the blocks: what remains of the logarithms of the speeds without
the means of pools and rounds is noise. Its variance is pooled over the cell and its neighbours.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum
from statistics import fmean
from typing import Self

from poolrace.producer.analysis.significance import MARGIN, PairedResult
from poolrace.producer.analysis.stats import T_95, T_99

MIN_LAPS = 2
"""Laps of each pool before a cell can have a winner; one lap shows nothing of the noise."""

LIMIT = math.log1p(MARGIN)
"""Logarithm of the ratio of speeds that counts as a difference."""


@dataclass(frozen=True)
class Noise:
    """Squared deviations of the laps of one or more cells, and their degrees of freedom."""

    squares: float = 0.0
    degrees: int = 0

    @classmethod
    def of_cell(cls, speeds: Sequence[Sequence[float]]) -> Self:
        """The noise of one cell; ``speeds`` has a row of items/s for each pool."""
        rounds = min(map(len, speeds), default=0)
        if rounds < MIN_LAPS or len(speeds) < 2:
            return cls()
        rows = [list(map(_log, row[:rounds])) for row in speeds]
        mean = fmean(map(fmean, rows))
        of_round = [fmean(column) for column in zip(*rows, strict=True)]
        squares = fsum(
            (value - fmean(row) - of_round[number] + mean) ** 2
            for row in rows
            for number, value in enumerate(row)
        )
        return cls(squares, (rounds - 1) * (len(rows) - 1))

    @classmethod
    def pooled(cls, parts: Iterable[Self]) -> Self:
        """The noise of several cells together."""
        known = list(parts)
        return cls(fsum(part.squares for part in known), sum(part.degrees for part in known))

    def half_width(self, rounds: int, t: Sequence[float]) -> float:
        """Half of the confidence interval of the logarithm of a ratio of two pools' speeds."""
        if not self.degrees:
            return math.inf
        variance = self.squares / self.degrees
        return t[min(self.degrees, len(t)) - 1] * math.sqrt(2 * variance / rounds)


def compare_with_noise(
    speeds: Sequence[float], reference: Sequence[float], noise: Noise
) -> PairedResult:
    """Compare two pools by their laps, with the noise of the cell and its neighbours.

    ``FASTER`` and ``SLOWER`` mean a difference of more than 10 % with 99 % confidence,
    ``EQUIVALENT`` that the ratio lies within 10 % with 95 % confidence.
    """
    rounds = min(len(speeds), len(reference))
    if rounds < MIN_LAPS:
        return PairedResult.UNDECIDED
    ratio = fmean(map(_log, speeds[:rounds])) - fmean(map(_log, reference[:rounds]))
    if abs(ratio) + noise.half_width(rounds, T_95) < LIMIT:
        return PairedResult.EQUIVALENT
    if abs(ratio) - noise.half_width(rounds, T_99) > LIMIT:
        return PairedResult.FASTER if ratio > 0 else PairedResult.SLOWER
    return PairedResult.UNDECIDED


def _log(speed: float) -> float:
    return math.log(max(speed, 1e-9))  # a lap without any finished item has no speed
