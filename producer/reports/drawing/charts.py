"""The charts of comparisons: bars of models, and plots of measured points and fitted models."""

from poolrace.producer.analysis.comparison_summary import CaseSummary
from poolrace.producer.analysis.scaling_summary import ScalingSummary
from poolrace.producer.analysis.sweep_summary import SweepSummary
from poolrace.producer.reports.drawing.svg import (
    Axis,
    Bar,
    Drawing,
    Plot,
    bars,
    curve_values,
    round_ticks,
)

HEADROOM = 1.12
"""Ratio of the upper end of an axis to its largest value."""


def models_chart(cases: list[CaseSummary]) -> Drawing:
    """One bar per execution model; its length is the median time."""
    return bars(
        "time of each model",
        [
            Bar(
                "local" if case.model.startswith("local:") else "celery",
                case.model,
                case.elapsed_s,
                f"{case.elapsed_s:.2f} s · {case.speed_up:.2f}x",
            )
            for case in cases
        ],
    )


def sweep_chart(label: str, sweep: SweepSummary) -> Drawing:
    """Measured times over the number of chunks, with the fitted model and its parts."""
    numbers = [case.chunks for case in sweep.cases]
    highest_s = HEADROOM * max(case.elapsed_s + case.spread_s for case in sweep.cases)
    x = Axis("chunks", numbers[0] * 0.8, numbers[-1] * 1.25, numbers, log=True)
    plot = Plot(label, x, Axis("s", 0.0, highest_s, round_ticks(highest_s)))
    if fit := sweep.fit:
        whole = sorted({max(1, round(n)) for n in curve_values(x)})
        plot.curve("fitted", "fitted time", [(n, fit.time_s(n)) for n in whole])
        plot.curve("overhead", "overhead", [(n, fit.overhead_s * n) for n in whole])
        plot.curve("imbalance", "imbalance", [(n, fit.waiting_s(n)) for n in whole])
        if fit.optimal_chunks and x.low < fit.optimal_chunks < x.high:
            plot.mark(fit.optimal_chunks, f"optimum {fit.optimal_chunks}")
    for case in sweep.cases:
        # Half of the range is more than the median if most runs were fast and one was slow.
        low_s = max(0.0, case.elapsed_s - case.spread_s)
        high_s = case.elapsed_s + case.spread_s
        plot.point(case.chunks, case.elapsed_s, low_s, high_s)
    return plot.drawing()


def scaling_chart(label: str, scaling: ScalingSummary) -> Drawing:
    """Measured speed-up over the number of hosts or slots, with the ideal and the fitted one."""
    numbers = [step.number for step in scaling.steps]
    base_s = scaling.base.elapsed_s
    highest = HEADROOM * max(numbers[-1], *(step.case.speed_up for step in scaling.steps))
    x = Axis(scaling.varies, 0.0, numbers[-1] * HEADROOM, numbers)
    plot = Plot(label, x, Axis("speed-up", 0.0, highest, round_ticks(highest)))
    plot.curve("ideal", "ideal", [(n, n) for n in curve_values(x)])
    if fit := scaling.fit:
        fitted = [(n, scaling.fitted_speed_up(n)) for n in curve_values(x) if n >= 1]
        plot.curve("fitted", "Universal Scalability Law", fitted)
        if 1 < fit.peak < x.high:
            plot.mark(fit.peak, f"peak {fit.peak:.1f}")
    for step in scaling.steps:
        slow_s = step.case.elapsed_s + step.case.spread_s
        fast_s = max(base_s / highest, step.case.elapsed_s - step.case.spread_s)
        plot.point(step.number, step.case.speed_up, base_s / slow_s, base_s / fast_s)
    return plot.drawing()
