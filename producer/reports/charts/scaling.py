"""Charts of a scaling series: speed-up and efficiency over the number of hosts or slots."""

from dataclasses import replace

from poolrace.producer.analysis.comparison_summary import runs_by_case
from poolrace.producer.analysis.scaling_summary import ScalingSummary
from poolrace.producer.reports.charts import palette
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.plot import (
    HEADROOM,
    HEIGHT,
    MARKS,
    Axis,
    Curve,
    Measured,
    Plot,
)
from poolrace.producer.reports.charts.words import seconds, shortened
from poolrace.producer.results.comparison import Comparison

IDEAL = (6, 4)
"""Pixels of dash and gap of the ideal line."""

LOGARITHMIC_FROM = 20.0
"""Ratio of the largest to the smallest number from which the axes are logarithmic: on linear ones
all but the largest numbers would lie at the left end."""


def scaling_charts(comparison: Comparison, scaling: ScalingSummary) -> tuple[Chart, ...]:
    """Measured values with the ideal and the fitted ones: speed-up, then efficiency."""
    return (_speed_up(comparison, scaling), _efficiency(comparison, scaling))


def _speed_up(comparison: Comparison, scaling: ScalingSummary) -> Chart:
    steps, varies = scaling.steps, scaling.varies
    title = f"Speed-up of {shortened(comparison.workload, 30)} with more {varies}"
    measured = _measured(comparison, scaling)
    x = _x(scaling)
    highest = HEADROOM * max(steps[-1].number, *(max(value.runs) for value in measured))
    lowest = min(steps[0].number, *(min(value.runs) for value in measured)) / HEADROOM**3
    y = Axis(
        "speed-up; more is better", lowest if x.is_log else 0.0, highest, x.is_log, format=",~r"
    )
    curves = [Curve("ideal", palette.GREY, IDEAL, x.curve(float))]
    mark = None
    if fit := scaling.fit:
        fitted = [(n, speed_up) for n, speed_up in x.curve(scaling.fitted_speed_up) if n >= 1]
        curves.append(Curve("Universal Scalability Law", palette.BLUE, (1, 0), fitted))
        mark = (fit.peak, f"peak {fit.peak:.1f}") if 1 < fit.peak < x.high else None
    last = steps[-1]
    base = f"{shortened(scaling.base.model, 60)} with {_counted(steps[0].number, varies)}"
    return Chart(
        name="speed-up",
        title=title,
        description=(
            f"Speed-up over the number of {varies}, with a point per run and the ideal line:"
            f" {last.case.speed_up:.2f} with {_counted(last.number, varies)}. More is better."
        ),
        spec=Plot(x, y, measured, curves, mark).spec(title, f"over {base}; {MARKS}; %: efficiency"),
        height_hint=HEIGHT + 170,
    )


def _efficiency(comparison: Comparison, scaling: ScalingSummary) -> Chart:
    title = f"Efficiency of {shortened(comparison.workload, 30)} with more {scaling.varies}"
    measured = [
        replace(
            value,
            median=value.median / value.number,
            runs=[speed_up / value.number for speed_up in value.runs],
        )
        for value in _measured(comparison, scaling)
    ]
    x = _x(scaling)
    y = Axis(
        "efficiency (%); more is better",
        0.0,
        HEADROOM * max(1.0, *(max(value.runs) for value in measured)),
        format=".0%",
    )
    ideal = Curve("ideal", palette.GREY, IDEAL, x.curve(lambda _: 1.0))
    last = scaling.steps[-1]
    return Chart(
        name="efficiency",
        title=title,
        description=(
            f"Speed-up divided by the number of {scaling.varies}, with a point per run:"
            f" {last.efficiency:.0%} with {_counted(last.number, scaling.varies)}. More is better."
        ),
        spec=Plot(x, y, measured, [ideal]).spec(
            title, f"speed-up divided by the number of {scaling.varies}; {MARKS}"
        ),
        height_hint=HEIGHT + 170,
    )


def _counted(number: int, varies: str) -> str:
    return f"{number:,} {varies if number > 1 else varies.removesuffix('s')}"


def _x(scaling: ScalingSummary) -> Axis:
    first, last = scaling.steps[0].number, scaling.steps[-1].number
    is_log = last / first >= LOGARITHMIC_FROM
    title = f"number of {scaling.varies}{' (logarithmic)' if is_log else ''}"
    return Axis(title, first / HEADROOM if is_log else 0.0, last * HEADROOM, is_log, format=",d")


def _measured(comparison: Comparison, scaling: ScalingSummary) -> list[Measured]:
    """The speed-ups of all runs over the median time of the base."""
    base_s = scaling.base.elapsed_s
    return [
        Measured(
            step.number,
            step.case.speed_up,
            [base_s / run.elapsed_s for run in runs],
            label=f"{step.efficiency:.0%}",
            tooltip=(
                f"{_counted(step.number, scaling.varies)}, median of {len(runs)} run(s):"
                f" {seconds(step.case.elapsed_s)}, speed-up {step.case.speed_up:.2f},"
                f" efficiency {step.efficiency:.0%}"
            ),
        )
        for step, runs in zip(scaling.steps, runs_by_case(comparison).values(), strict=True)
    ]
