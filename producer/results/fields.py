"""Types of the fields of stored results: the values that msgspec accepts when a file is read.

Upper bounds are far above anything that is measured, and keep all arithmetic finite.
"""

from typing import Annotated

from msgspec import Meta

Count = Annotated[int, Meta(ge=0, le=10**15)]
"""A number of things."""

PositiveCount = Annotated[int, Meta(ge=1, le=10**15)]
"""A number of things, at least one."""

Difference = Annotated[int, Meta(ge=-(10**15), le=10**15)]
"""A difference of two counters; negative if threads ended in between, whose counts are lost."""

Index = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""An index of a workload."""

ByteCount = Annotated[int, Meta(ge=0, le=2**60)]
"""A number of bytes."""

Seconds = Annotated[float, Meta(ge=0, le=1e12)]
"""A time in seconds; it may be zero."""

PositiveSeconds = Annotated[float, Meta(ge=1e-9, le=1e12)]
"""A time in seconds that figures are divided by."""

Rate = Annotated[float, Meta(ge=0, le=1e12)]
"""A number of things per second, or per slot."""

UsedSeconds = Annotated[float, Meta(ge=-1e12, le=1e12)]
"""A difference of two readings of used CPU seconds; negative if processes ended in between."""

Share = Annotated[float, Meta(ge=0, le=1)]
"""A share of a whole, from 0 to 1."""

Cores = Annotated[float, Meta(ge=0, le=1e6)]
"""A number of CPU cores, whole or not."""

Percentiles = Annotated[list[Seconds], Meta(min_length=3, max_length=3)]
"""p50, p95 and p99 of a time."""

QUANTILES = 21
"""Number of stored quantiles of a time: 0 %, 5 %, ... 100 %."""

Quantiles = Annotated[list[Seconds], Meta(min_length=QUANTILES, max_length=QUANTILES)]
"""Quantiles of a time: 0 %, 5 %, ... 100 %, ascending."""

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]*\Z")]
"""A name that poolrace gave: of a pool, a workload or a parameter. It may become a CSS class."""

ModelName = Annotated[str, Meta(pattern=r"^[a-z]+:[a-z][a-z0-9_-]*( @ [a-z0-9.+#-]+)?\Z")]
"""The name of a model, as in ``celery:prefork``; with the label of another interpreter that ran it,
as in ``local:threads @ 3.13t``."""

ScheduleText = Annotated[str, Meta(pattern=r"^[a-z]+( --[a-z-]+ [0-9]+)*\Z")]
"""A schedule as requested, as in ``dynamic --chunk-size 100``."""

Time = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)\Z")]
"""A time of day: ISO 8601."""

Finite = Annotated[float, Meta(ge=-1e15, le=1e15)]
"""Any finite number."""

Parameter = int | Finite | bool | str | list[int] | None
"""The value of a parameter of a workload."""

SMALLEST = 1e-15
"""Smallest positive time or rate that figures are divided by; no clock measures less, and quotients
by less may overflow."""


def require_divisible(**values: float) -> None:
    """Raise ``ValueError`` for a value that is positive but too small to divide by."""
    for name, value in values.items():
        if 0 < value < SMALLEST:
            raise ValueError(f"`{name}` is {value:g}; expected 0, or {SMALLEST:g} and more")
