"""Compares two benchmarks of one machine, figure by figure. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scipy.stats import mannwhitneyu

from benchmarks.results import Benchmark
from benchmarks.rows import Figure, followed_figures
from poolrace.producer.analysis.stats import median
from poolrace.workers.errors import UsageError

SIGNIFICANCE = 0.01
"""Significance level: a difference counts if its p-value is below this. With five rounds each, that
needs all values of one side above all values of the other (p = 2 / 252)."""

NO_DIFFERENCE = "not distinguishable"


@dataclass(frozen=True)
class Change:
    """Medians of a figure in two benchmarks, and whether they differ."""

    figure: Figure
    before: float
    now: float
    verdict: str
    """``faster``, ``slower`` or ``not distinguishable``; of memory ``less`` or ``more``."""


def changes(before: Benchmark, now: Benchmark) -> list[Change]:
    """The changes of all figures in both benchmarks.

    Raises ``UsageError`` if the machines or the sizes differ.
    """
    require_comparable(before, now)
    compared = []
    for figure in followed_figures():
        old, new = before.rounds(figure), now.rounds(figure)
        if old and new:
            verdict = compare(figure, old, new)
            compared.append(Change(figure, median(old), median(new), verdict))
    return compared


def newest_comparable(earlier: Iterable[Benchmark], now: Benchmark) -> Benchmark | None:
    """The first of ``earlier`` that is comparable with ``now`` and measured some of the same rows.

    ``earlier`` is sorted from new to old.
    """
    measured = _measured(now)
    for before in earlier:
        if not _differences(before, now) and measured & _measured(before):
            return before
    return None


def require_comparable(before: Benchmark, now: Benchmark) -> None:
    """Raise ``UsageError``, with both values, if the machines or the sizes differ."""
    if differences := _differences(before, now):
        raise UsageError(f"results cannot be compared; they differ in {'; '.join(differences)}")


def compare(figure: Figure, before: Sequence[float], now: Sequence[float]) -> str:
    """Compare the rounds by the exact two-sided Mann-Whitney U test (1947)."""
    if mannwhitneyu(before, now, method="exact").pvalue >= SIGNIFICANCE:
        return NO_DIFFERENCE
    larger = median(now) > median(before)
    if figure.unit == "MB":
        return "more" if larger else "less"
    return "faster" if larger == figure.higher_is_better else "slower"


def _differences(before: Benchmark, now: Benchmark) -> list[str]:
    facts = {**now.machine, **now.sizes, "quick": now.quick}
    facts_before = {**before.machine, **before.sizes, "quick": before.quick}
    return [
        f"{name}: {facts_before.get(name)} and {value}"
        for name, value in facts.items()
        if name != "repeat" and facts_before.get(name) != value
    ]


def _measured(benchmark: Benchmark) -> set[tuple[int, str]]:
    return {(sample.row, sample.contender) for sample in benchmark.samples}
