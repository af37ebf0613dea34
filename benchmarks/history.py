"""Compares a benchmark with earlier ones of the same machine, figure by figure. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from scipy.stats import mannwhitneyu

from benchmarks.figures import Figure, followed_figures
from benchmarks.results import Benchmark
from benchmarks.rows import sizes_of
from poolrace.producer.analysis.stats import median
from poolrace.workers.errors import UsageError

SIGNIFICANCE = 0.01
"""Significance level: a difference counts if its p-value is below this. With five rounds each, that
needs all values of one side above all values of the other (p = 2 / 252)."""

NO_DIFFERENCE = "not distinguishable"


@dataclass(frozen=True)
class Change:
    """Values of a figure in two benchmarks, and whether they differ."""

    figure: Figure
    made_at: str
    """Start of the earlier benchmark: the newest that has the figure."""
    before: float
    now: float
    verdict: str
    """``faster``, ``slower`` or ``not distinguishable``; of memory ``less`` or ``more``."""


def changes(earlier: Sequence[Benchmark], now: Benchmark) -> list[Change]:
    """The change of each figure since the newest comparable benchmark that has it.

    ``earlier`` is sorted from new to old. A figure's row, contenders and key identify it, so that
    its title and target may change. A benchmark is comparable for a figure if the machine and the
    sizes of the figure's work are the same.
    """
    compared = []
    for figure in followed_figures():
        new = now.rounds(figure)
        before = next(_with_figure(figure, earlier, now), None) if new else None
        if before:
            old = before.rounds(figure)
            verdict = compare(figure, old, new)
            old_value, new_value = figure.value(old), figure.value(new)
            compared.append(Change(figure, before.made_at, old_value, new_value, verdict))
    return compared


def values_over_time(
    benchmarks: Sequence[Benchmark], now: Benchmark
) -> dict[Figure, dict[str, float]]:
    """The values of each figure by the start of the benchmark, in those comparable with ``now``."""
    values = {}
    for figure in followed_figures():
        comparable = _with_figure(figure, benchmarks, now)
        by_time = {each.made_at: figure.value(each.rounds(figure)) for each in comparable}
        if by_time:
            values[figure] = by_time
    return values


def require_comparable(before: Benchmark, now: Benchmark) -> None:
    """Raise ``UsageError``, with both values, if the machines differ."""
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


def _with_figure(
    figure: Figure, benchmarks: Sequence[Benchmark], now: Benchmark
) -> Iterator[Benchmark]:
    """The benchmarks that have the figure, of this machine and of the sizes of ``now``."""
    contenders = [name for name in (figure.contender, figure.over) if name]
    sizes = {size for name in contenders for size in sizes_of(figure.row, name)}
    for benchmark in benchmarks:
        same_sizes = all(benchmark.sizes.get(name) == now.sizes.get(name) for name in sizes)
        if same_sizes and not _differences(benchmark, now) and benchmark.rounds(figure):
            yield benchmark


def _differences(before: Benchmark, now: Benchmark) -> list[str]:
    facts, facts_before = _facts(now), _facts(before)
    return [
        f"{name}: {facts_before.get(name)} and {value}"
        for name, value in facts.items()
        if facts_before.get(name) != value
    ]


def _facts(benchmark: Benchmark) -> dict[str, Any]:
    """The facts that must be equal; of the kernel only the version, without that of its package."""
    system, _, _ = str(benchmark.machine["system"]).partition("-")
    return {**benchmark.machine, "system": system, "quick": benchmark.quick}
