"""Figures out of measured spans: throughput in a steady state, percentiles, ratios. Pure."""

import math
from collections.abc import Sequence
from statistics import fmean, stdev

T_95 = (12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179)
T_99 = (63.66, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250, 3.169, 3.106, 3.055)
"""Student's t for two sides, by degrees of freedom from 1; beyond the last one it changes by
less than the tenth part of what matters here."""


def steady_rate(spans: Sequence[tuple[float, float]], *, begins: Sequence[float]) -> float:
    """Items a second while all slots were busy: until the last item began.

    ``spans`` are begin and end of the items that count, ``begins`` those of all that ran. An item
    that is under way when the last one begins counts for the part that is done: so neither a
    last wave that is not full nor a long last item distorts the rate.
    """
    if not spans:
        return 0.0
    first, last = min(begins), max(begins)
    if last <= first:
        ends = [end for _, end in spans]
        return len(spans) / max(max(ends) - first, 1e-9)
    done = sum(_part(begin, end, last) for begin, end in spans)
    return done / (last - first)


def percentiles(values: Sequence[float]) -> list[float]:
    """p50, p95 and p99, by nearest rank; zeros for no value."""
    if not values:
        return [0.0, 0.0, 0.0]
    ordered = sorted(values)
    return [ordered[max(0, math.ceil(part * len(ordered)) - 1)] for part in (0.50, 0.95, 0.99)]


def interval(values: Sequence[float], t: Sequence[float] = T_95) -> tuple[float, float] | None:
    """Confidence interval of the middle of positive values, ``None`` for fewer than two.

    Taken on their logarithms: what disturbs a machine costs a part of the speed, not a number
    of items.
    """
    usable = [math.log(value) for value in values if value > 0]
    if len(usable) < 2 or len(usable) < len(values):
        return None
    middle = fmean(usable)
    freedom = len(usable) - 1
    half = t[min(freedom, len(t)) - 1] * stdev(usable) / math.sqrt(len(usable))
    return math.exp(middle - half), math.exp(middle + half)


def _part(begin: float, end: float, at: float) -> float:
    if end <= at:
        return 1.0
    return (at - begin) / (end - begin)
