"""Chart of a sweep: time over the number of chunks, with the fitted model and its parts."""

from typing import TYPE_CHECKING

from poolrace.producer.analysis.comparison_summary import runs_by_case
from poolrace.producer.analysis.scaling_laws import ChunkFit
from poolrace.producer.analysis.sweep_summary import SweepSummary
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

if TYPE_CHECKING:
    from collections.abc import Callable

EACH = 40
"""Number of chunks up to which curves have a point at each number, so that rounds show; above it
only at numbers with a full last round, or the rounds would be a band of lines."""


def sweep_chart(comparison: Comparison, sweep: SweepSummary) -> Chart:
    """Measured times, the fitted time, its overhead and its imbalance, and the best number."""
    cases = sweep.cases
    title = f"Time of {shortened(comparison.workload, 30)} by number of chunks"
    marked, words = _best(sweep)
    measured = [
        Measured(
            case.chunks,
            case.elapsed_s,
            [run.elapsed_s for run in runs],
            label="",
            tooltip=(
                f"{case.chunks:,} chunks, median of {len(runs)} run(s): {seconds(case.elapsed_s)}"
            ),
        )
        for case, runs in zip(cases, runs_by_case(comparison).values(), strict=True)
    ]
    x = Axis(
        "number of chunks (logarithmic)",
        cases[0].chunks * 0.8,
        cases[-1].chunks * 1.25,
        is_log=True,
        format=",d",
    )
    highest_s = HEADROOM * max(max(value.runs) for value in measured)
    y = Axis("time (s); less is better", 0.0, highest_s)
    plot = Plot(x, y, measured, _curves(sweep.fit, x) if sweep.fit else (), (marked, words))
    return Chart(
        name="times",
        title=title,
        description=(
            f"Time over {len(cases)} numbers of chunks from {cases[0].chunks:,} to"
            f" {cases[-1].chunks:,}, with a point per run; {words}."
        ),
        spec=plot.spec(title, MARKS),
        height_hint=HEIGHT + 170,
    )


def _curves(fit: ChunkFit, x: Axis) -> list[Curve]:
    """The fitted time and its parts, for whole numbers of chunks."""
    step, last = fit.in_step, round(x.high)
    spread_out = (step * max(1, round(number / step)) for number, _ in x.curve(float))
    above = {number for number in spread_out if number > EACH}
    numbers = [*range(max(1, round(x.low)), min(last, EACH) + 1), *sorted(above)]
    fitted: list[tuple[str, str, tuple[int, int], Callable[[int], float]]] = [
        ("fitted time", palette.BLUE, (1, 0), fit.time_s),
        ("overhead", palette.ORANGE, (7, 4), lambda n: fit.overhead_s * n),
        ("imbalance", palette.GREEN, (2, 4), fit.waiting_s),
    ]
    return [
        Curve(name, colour, dash, [(n, time_s(n)) for n in numbers])
        for name, colour, dash, time_s in fitted
    ]


def _best(sweep: SweepSummary) -> tuple[int, str]:
    """The optimal number of chunks if it is among those measured, otherwise the fastest one."""
    optimum = sweep.fit.optimal_chunks if sweep.fit else None
    if optimum and sweep.cases[0].chunks <= optimum <= sweep.cases[-1].chunks:
        return optimum, f"optimum {optimum:,}"
    return sweep.fastest.chunks, f"fastest {sweep.fastest.chunks:,}"
