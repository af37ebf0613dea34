"""Student's t distribution for any confidence, as the comparison of many cases needs it. Pure."""

import math
from functools import lru_cache

MAX_DEGREES = 200
"""Degrees of freedom that are told apart, at most: beyond, the distribution is nearly normal."""

LARGEST_T = 1e6
"""Upper end of the search for a quantile; only a confidence above 99.9999 % lies beyond."""


def two_sided_p(t: float, degrees: int) -> float:
    """Probability that a t-distributed value is farther from zero than ``t``.

    The finite series for whole degrees of freedom: Abramowitz and Stegun, 26.7.3 and 26.7.4.
    """
    angle = math.atan2(abs(t), math.sqrt(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees % 2
    term = cosine if odd else 1.0
    total = term if degrees > 1 else 0.0
    for number in range(2 + odd, degrees - 1, 2):
        term *= cosine * cosine * (number - 1) / number
        total += term
    inside = (angle + sine * total) * 2 / math.pi if odd else sine * total
    return min(1.0, max(0.0, 1 - inside))


@lru_cache(maxsize=4 * MAX_DEGREES)
def two_sided_quantile(confidence: float, degrees: int) -> float:
    """The ``t`` within which a t-distributed value lies with this confidence."""
    low, high = 0.0, LARGEST_T
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        if two_sided_p(middle, degrees) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high
