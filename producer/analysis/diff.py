"""The diff of two results of the same kind: the ratio of each case, new to old. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import geometric_mean
from typing import Any, ClassVar

from poolrace.producer.analysis.diff_cases import (
    FINAL,
    SEARCH,
    Case,
    is_rate,
    least_values,
    require_alike,
    values_of,
)
from poolrace.producer.analysis.diff_statistics import (
    Difference,
    DiffResult,
    compare_samples,
)
from poolrace.producer.results.files import Results
from poolrace.workers.errors import UsageError

DEFAULT_MARGIN = 0.1
"""Relative difference within which a case counts as the same. Smaller ones can hardly be shown:
two starts of the same workers differ by 3 to 5 % themselves."""


@dataclass(frozen=True)
class CaseDiff:
    """The difference of one case. The fields are keys of ``--json``."""

    case: str
    old: float
    """Geometric mean of the values in the old file: seconds, or items per second."""
    new: float
    old_values: int
    """Number of values in the old file."""
    new_values: int
    ratio: float
    """``new`` over ``old``."""
    ci95: tuple[float, float] | None
    """95 % confidence interval of ``ratio``; ``None`` with too few values."""
    result: DiffResult
    time_ratio: float
    """The time in the new file over that in the old one, also where the values are rates."""

    @property
    def judged(self) -> bool:
        """Whether both files have enough values."""
        return self.ci95 is not None


@dataclass(frozen=True)
class Diff:
    """The differences of the cases that two results have in common."""

    varies: ClassVar[str] = "diff"
    """The kind of results, for the choice of a view."""

    old: Results
    new: Results
    margin: float
    """Relative difference within which a case counts as the same."""
    cases: list[CaseDiff]
    only_old: list[str]
    """Cases that only the old file has."""
    only_new: list[str]
    unmeasured: list[str]
    """Cases of both files in which no item succeeded in a lap, and the file."""
    invocation: str = ""
    """The command line that compares the two files."""

    @property
    def made_at(self) -> str:
        """The times of both measurements."""
        return f"OLD {self.old.made_at}, NEW {self.new.made_at}"

    @property
    def is_rate(self) -> bool:
        """Whether the values are items per second, and not seconds."""
        return is_rate(self.old)

    @property
    def least(self) -> int:
        """Number of values of a case in each file before it is judged."""
        return least_values(self.old)

    def with_result(self, result: DiffResult) -> list[CaseDiff]:
        """The cases with this result."""
        return [case for case in self.cases if case.result == result]

    def slower_than(self, limit: float) -> list[CaseDiff]:
        """The cases that are slower, and take longer by more than this share of the old time."""
        return [case for case in self.with_result("slower") if case.time_ratio > 1 + limit]

    def to_json(self) -> dict[str, Any]:
        """The cases as a JSON object."""
        return {
            "unit": "items/s" if self.is_rate else "s",
            "margin": self.margin,
            "cases": [asdict(case) for case in self.cases],
            "only_old": self.only_old,
            "only_new": self.only_new,
            "unmeasured": self.unmeasured,
        }


def compare_results(old: Results, new: Results, margin: float = DEFAULT_MARGIN) -> Diff:
    """Compare two results; raises ``UsageError`` if they are unlike or have no case in common."""
    require_alike(old, new)
    old_values, new_values = values_of(old), values_of(new)
    common = _common(old_values, new_values)
    only_old, only_new = _names_without(old_values, common), _names_without(new_values, common)
    if not common:
        raise UsageError(
            f"OLD and NEW have no case in common: {_first(only_old)} in OLD, {_first(only_new)} in"
            " NEW; measure the same cases twice"
        )
    unmeasured = [
        f"{case[0]} in {file}"
        for case in common
        for file, values in (("OLD", old_values), ("NEW", new_values))
        if min(values[case]) <= 0
    ]
    measured = [case for case in common if min(*old_values[case], *new_values[case]) > 0]
    return Diff(
        old=old,
        new=new,
        margin=margin,
        cases=_case_diffs(
            [(case[0], old_values[case], new_values[case]) for case in measured], old, margin
        ),
        only_old=only_old,
        only_new=only_new,
        unmeasured=unmeasured,
    )


def _common(old: dict[Case, list[float]], new: dict[Case, list[float]]) -> list[Case]:
    """The cases that both have, with laps of the same kind: of the finals, else of the search."""
    common = [case for case in old if case in new]
    return [case for case in common if case[1] != SEARCH or (case[0], FINAL) not in common]


def _names_without(values: dict[Case, list[float]], common: Sequence[Case]) -> list[str]:
    compared = {name for name, _ in common}
    return list(dict.fromkeys(name for name, _ in values if name not in compared))


def _first(names: Sequence[str]) -> str:
    """The first names, with a mark if there are more."""
    return ", ".join([*names[:2], *(["..."] if len(names) > 2 else [])]) or "none"


def _case_diffs(
    cases: Sequence[tuple[str, list[float], list[float]]], results: Results, margin: float
) -> list[CaseDiff]:
    """The differences of these cases of results of this kind."""
    rate = is_rate(results)
    pairs = [(_times(old, rate=rate), _times(new, rate=rate)) for _, old, new in cases]
    differences = compare_samples(pairs, margin, least_values(results))
    return [
        CaseDiff(
            case=name,
            old=geometric_mean(old),
            new=geometric_mean(new),
            old_values=len(old),
            new_values=len(new),
            ratio=1 / difference.time_ratio if rate else difference.time_ratio,
            ci95=_inverted(difference) if rate else difference.interval,
            result=difference.result,
            time_ratio=difference.time_ratio,
        )
        for (name, old, new), difference in zip(cases, differences, strict=True)
    ]


def _times(values: Sequence[float], *, rate: bool) -> list[float]:
    """The values as times; of a rate, times per item."""
    return [1 / value for value in values] if rate else list(values)


def _inverted(difference: Difference) -> tuple[float, float] | None:
    """The interval of the ratio of rates."""
    if difference.interval is None:
        return None
    low, high = difference.interval
    return 1 / high, 1 / low
