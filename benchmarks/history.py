"""Compares two benchmarks of one machine, figure by figure, in words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import mannwhitneyu

from benchmarks.results import Benchmark
from benchmarks.rows import Figure, followed
from producer.stats import median
from workers.errors import UsageError

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


def require_comparable(before: Benchmark, now: Benchmark) -> None:
    """Raise ``UsageError`` naming both sides of what differs in machine or sizes."""
    for what, old, new in (
        ("machines", before.machine, now.machine),
        ("sizes", before.sizes, now.sizes),
    ):
        differ = [name for name in new if name != "repeat" and old.get(name) != new[name]]
        if differ:
            sides = "; ".join(f"{name}: {old.get(name)} and {new[name]}" for name in differ)
            raise UsageError(f"results of different {what} are not compared ({sides})")


def word(figure: Figure, before: Sequence[float], now: Sequence[float]) -> str:
    """What the rounds say, by the two-sided exact test of Mann and Whitney (1947)."""
    if mannwhitneyu(before, now, method="exact").pvalue >= SURE:
        return SAME
    grown = median(now) > median(before)
    if figure.unit == "MB":
        return "more" if grown else "less"
    return "faster" if grown == figure.more_is_better else "slower"
