"""The registry of workloads: a new workload is one file in this folder and one entry below."""

from collections.abc import Mapping
from typing import Any

from poolrace.workers.errors import UsageError, unknown
from poolrace.workers.workloads.base import EMPTY, Merge, Steps, Workload
from poolrace.workers.workloads.factorial import Factorial
from poolrace.workers.workloads.minimum import Minimum
from poolrace.workers.workloads.mixed import Mixed
from poolrace.workers.workloads.sum import Sum

__all__ = ["EMPTY", "WORKLOADS", "Merge", "Steps", "Workload", "make_workload"]

WORKLOADS: dict[str, type[Workload]] = {cls.name: cls for cls in (Sum, Factorial, Minimum, Mixed)}


def make_workload(name: str, parameters: Mapping[str, Any]) -> Workload:
    """The workload of that name; raises ``UsageError`` for an unknown name or parameter."""
    if name not in WORKLOADS:
        raise unknown("workload", name, WORKLOADS)
    try:
        return WORKLOADS[name](**parameters)
    except TypeError as error:
        raise UsageError(f"workload {name} does not take these parameters: {error}") from error
