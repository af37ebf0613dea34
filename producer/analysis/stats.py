"""The few statistics that reports show: median and spread."""

from collections.abc import Sequence
from statistics import median

__all__ = ["median", "spread"]


def spread(values: Sequence[float]) -> float:
    """Half of the range of the values, which reports show as ``±``.

    For the three to five runs per case of a comparison it says more than a standard deviation.
    """
    return (max(values) - min(values)) / 2
