"""The words of verdicts on claims: figures with their units, and ratios with intervals. Pure."""

from collections.abc import Mapping, Sequence
from statistics import median

from poolrace.producer.analysis.stats import confidence_interval
from poolrace.producer.results.claims import SUFFIXES

Figures = Mapping[str, Sequence[float]]
"""Name of a figure -> its value in each round."""


def label(name: str) -> str:
    """The words of a figure's name, without its unit: ``fork process`` for ``fork_process_s``."""
    suffix = next((suffix for suffix in SUFFIXES if name.endswith(suffix)), "")
    return name.removesuffix(suffix).replace("_", " ")


def value_text(name: str, value: float) -> str:
    """The value with three digits and the unit that the end of the figure's name says."""
    if name.endswith("_per_s"):
        return f"{value:,.0f}/s" if value >= 100 else f"{value:.3g}/s"
    if name.endswith("_bytes"):
        return _scaled(value, ((2**20, "MiB"), (2**10, "KiB"), (1, "bytes")))
    if name.endswith("_s"):
        return _scaled(value, ((1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")))
    return f"{value:,.0f}"


def middle(figures: Figures, name: str) -> str:
    """The figure in words: its label, and the median of its values with the unit."""
    return f"{label(name)} {value_text(name, median(figures[name]))}"


def ratio_text(ratios: Sequence[float]) -> str:
    """The median of the ratios, and their 95 % interval if there is one."""
    interval = confidence_interval(ratios)
    ends = f" ({_ratio(interval[0])} to {_ratio(interval[1])})" if interval else ""
    return f"{_ratio(median(ratios))}{ends}"


def ratios(values: Sequence[float], others: Sequence[float]) -> list[float]:
    """The ratios within rounds; without the rounds in which one of the values is 0."""
    return [
        value / other
        for value, other in zip(values, others, strict=False)
        if value > 0 and other > 0
    ]


def _ratio(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def _scaled(value: float, units: Sequence[tuple[float, str]]) -> str:
    """The value in the largest of these units of which it has one or more."""
    size, unit = next(((size, unit) for size, unit in units if value >= size), units[-1])
    scaled = value / size
    return f"{scaled:,.0f} {unit}" if scaled >= 100 else f"{scaled:.3g} {unit}"
