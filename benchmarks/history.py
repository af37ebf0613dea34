"""Compares two benchmarks of one machine, figure by figure, in words. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scipy.stats import mannwhitneyu

from benchmarks.results import Benchmark
from benchmarks.rows import Figure, followed
from poolrace.producer.analysis.stats import median
from poolrace.workers.errors import UsageError

SURE = 0.01
"""Chance of a difference by accident that is still taken for one. With five rounds each it
takes that all values of one side lie beyond all of the other (2 / 252)."""

SAME = "not distinguishable"


@dataclass(frozen=True)
class Change:
    """A figure then and now, and what can be said."""

    figure: Figure
    before: float
    now: float
    word: str
    """``faster``, ``slower`` or ``not distinguishable``; of memory ``less`` or ``more``."""


def changes(before: Benchmark, now: Benchmark) -> list[Change]:
    """All figures that both have; raises ``UsageError`` if they are of different machines."""
    require_comparable(before, now)
    found = []
    for figure in followed():
        old, new = before.rounds(figure), now.rounds(figure)
        if old and new:
            found.append(Change(figure, median(old), median(new), word(figure, old, new)))
    return found


def newest_alike(earlier: Iterable[Benchmark], now: Benchmark) -> Benchmark | None:
    """The first of these, newest first, that may be compared and measured any of the same."""
    measured = _measured(now)
    for before in earlier:
        if not _differences(before, now) and measured & _measured(before):
            return before
    return None


def require_comparable(before: Benchmark, now: Benchmark) -> None:
    """Raise ``UsageError`` naming both sides of what differs in machine or sizes."""
    if differ := _differences(before, now):
        raise UsageError(f"these results are not compared, for they differ in {'; '.join(differ)}")


def word(figure: Figure, before: Sequence[float], now: Sequence[float]) -> str:
    """What the rounds say, by the two-sided exact test of Mann and Whitney (1947)."""
    if mannwhitneyu(before, now, method="exact").pvalue >= SURE:
        return SAME
    grown = median(now) > median(before)
    if figure.unit == "MB":
        return "more" if grown else "less"
    return "faster" if grown == figure.more_is_better else "slower"


def _differences(before: Benchmark, now: Benchmark) -> list[str]:
    ours = {**now.machine, **now.sizes, "quick": now.quick}
    theirs = {**before.machine, **before.sizes, "quick": before.quick}
    return [
        f"{name}: {theirs.get(name)} and {ours[name]}"
        for name in ours
        if name != "repeat" and theirs.get(name) != ours[name]
    ]


def _measured(benchmark: Benchmark) -> set[tuple[int, str]]:
    return {(sample.row, sample.contender) for sample in benchmark.samples}
