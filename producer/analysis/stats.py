"""Statistics of repeated measurements: median, spread, throughput, percentiles, intervals. Pure."""

import math
from collections.abc import Sequence
from itertools import accumulate
from statistics import fmean, median, stdev

__all__ = [
    "T_95",
    "T_99",
    "confidence_interval",
    "median",
    "most_at_a_time",
    "percentiles",
    "quantiles",
    "spread",
    "steady_rate",
]

MIN_VALUES = 3
"""Number of values from which there is a confidence interval. With two, Student's t is 12.7 and
the interval of a noisy measurement spans two orders of magnitude."""

T_95 = (12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179)
"""Two-sided 95 % quantiles of Student's t, by degrees of freedom from 1. Beyond 12 degrees the
last value is used; the error is less than a tenth of any margin that is applied to it."""

T_99 = (63.66, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250, 3.169, 3.106, 3.055)
"""Two-sided 99 % quantiles of Student's t, by degrees of freedom from 1."""


MAX_EXPONENT = 700.0
"""Largest argument of ``exp``, roughly; upper ends of intervals beyond it mean nothing anyway."""

LATEST_START = 0.6
"""Share of the time from the first to the last start of an item that may be left out, so that the
rest begins with busy slots."""


def spread(values: Sequence[float]) -> float:
    """Half of the range of the values, which reports show as ``±``.

    For the three to five runs per case of a comparison it says more than a standard deviation.
    """
    return (max(values) - min(values)) / 2


def steady_rate(
    spans: Sequence[tuple[float, float]],
    *,
    begins: Sequence[float],
    slots: int = 1,
    idle: bool = False,
) -> float:
    """Throughput in items/s while all slots were busy, which is until the last item began.

    ``spans`` are start and end of the items that succeeded, ``begins`` the starts of all items.
    An item that runs at one end of that time counts in part. Therefore neither idle slots in the
    last wave nor one long last item distort the rate. The time begins when as many items as
    there are ``slots`` have ended, if it is not halved by that: a service behind the task that
    works off its requests in turn has answered nothing of those that wait at the end, and would
    seem faster if none waited at the beginning. ``idle`` says that slots were free all the time:
    then as many items as later run at a time when the first one ends.
    """
    if not spans:
        return 0.0
    first, last = min(begins), max(begins)
    ends = sorted(end for _, end in spans)
    if last <= first:
        return len(spans) / max(ends[-1] - first, 1e-9)
    wave = ends[slots - 1] if 1 < slots <= len(ends) else first
    wave = ends[0] if idle else wave
    start = wave if wave <= first + LATEST_START * (last - first) else first
    done = sum(_part_done(*span, last) - _part_done(*span, start) for span in spans)
    return done / (last - start)


def most_at_a_time(spans: Sequence[tuple[float, float]]) -> int:
    """Greatest number of items that ran at a time; ``spans`` are their starts and ends."""
    changes = sorted([(begin, 1) for begin, _ in spans] + [(end, -1) for _, end in spans])
    return max(accumulate(change for _, change in changes), default=0)


def percentiles(values: Sequence[float]) -> list[float]:
    """The 50th, 95th and 99th percentile by nearest rank; zeros if there are no values."""
    if not values:
        return [0.0, 0.0, 0.0]
    ordered = sorted(values)
    return [ordered[max(0, math.ceil(part * len(ordered)) - 1)] for part in (0.50, 0.95, 0.99)]


def quantiles(values: Sequence[float], number: int) -> list[float]:
    """Quantiles in equal steps from the least to the largest value, by nearest rank.

    An empty list if there are no values.
    """
    ordered = sorted(values)
    ranks = (-(-step * len(ordered) // (number - 1)) for step in range(number))
    return [ordered[max(0, rank - 1)] for rank in ranks] if ordered else []


def confidence_interval(
    values: Sequence[float], t: Sequence[float] = T_95
) -> tuple[float, float] | None:
    """Confidence interval of the geometric mean of positive values, ``None`` for fewer than three.

    Computed on logarithms: a disturbance of the machine costs a share of the speed, not a
    number of items.
    """
    logarithms = [math.log(value) for value in values if value > 0]
    if len(logarithms) < MIN_VALUES or len(logarithms) < len(values):
        return None
    mean = fmean(logarithms)
    degrees = len(logarithms) - 1
    half_width = t[min(degrees, len(t)) - 1] * stdev(logarithms) / math.sqrt(len(logarithms))
    return math.exp(mean - half_width), math.exp(min(mean + half_width, MAX_EXPONENT))


def _part_done(begin: float, end: float, at: float) -> float:
    """Share of an item that was done at a time."""
    if end <= at:
        return 1.0
    if begin >= at:
        return 0.0
    return (at - begin) / (end - begin)
