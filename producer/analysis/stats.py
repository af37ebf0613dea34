"""The few statistics that reports show: median and spread."""

from collections.abc import Sequence
from statistics import median

__all__ = ["median", "spread"]


def spread(values: Sequence[float]) -> float:
    """Half the distance between the least and the greatest value: the ``±`` of the reports.

    With the handful of repeats of a comparison it says more than a standard deviation would.
    """
    return (max(values) - min(values)) / 2
