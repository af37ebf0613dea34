"""The chart of a page, by what varies: bars of models, or a plot of measured points and laws."""

from collections.abc import Callable
from html import escape

from producer.reports.scale import Scale
from producer.reports.svg import Axis, Plot, along, round_ticks
from producer.reports.sweep import Sweep
from producer.reports.table import rows
from producer.results import Comparison, Varies

HEADROOM = 1.12
"""The plot ends so far above what it shows."""


def chart(comparison: Comparison) -> str:
    """The chart as an element of the page, empty if there is nothing to show."""
    return _CHARTS[comparison.varies](comparison) if comparison.runs else ""


def _bars(comparison: Comparison) -> str:
    table = rows(comparison)
    longest_s = max(row.elapsed_s for row in table)
    lines = ['<div class="chart" role="img" aria-label="time of each model">']
    for row in table:
        kind = "bar local" if row.model.startswith("local:") else "bar"
        width = 80 * row.elapsed_s / longest_s
        lines.append(
            f"<span>{escape(row.model)}</span><span>"
            f'<span class="{kind}" style="width:{width:.1f}%"></span>'
            f"<small>{row.elapsed_s:.2f} s · {row.speed_up:.2f}x</small></span>"
        )
    return "\n".join((*lines, "</div>"))


def _sweep(comparison: Comparison) -> str:
    sweep = Sweep.of(comparison)
    numbers = [row.chunks for row in sweep.rows]
    highest_s = HEADROOM * max(row.elapsed_s + row.spread_s for row in sweep.rows)
    x = Axis("chunks", numbers[0] * 0.8, numbers[-1] * 1.25, numbers, log=True)
    plot = Plot(sweep.title, x, Axis("s", 0.0, highest_s, round_ticks(highest_s)))
    if law := sweep.law:
        whole = sorted({max(1, round(n)) for n in along(x)})
        plot.curve("law", "time by the law", [(n, law.time_s(n)) for n in whole])
        plot.curve("overhead", "overhead", [(n, law.overhead_s * n) for n in whole])
        plot.curve("imbalance", "imbalance", [(n, law.waiting_s(n)) for n in whole])
        if law.sweet_spot and x.low < law.sweet_spot < x.high:
            plot.mark(law.sweet_spot, f"sweet spot {law.sweet_spot}")
    for row in sweep.rows:
        plot.point(
            row.chunks, row.elapsed_s, row.elapsed_s - row.spread_s, row.elapsed_s + row.spread_s
        )
    return plot.render()


def _scale(comparison: Comparison) -> str:
    scale = Scale.of(comparison)
    numbers = [step.number for step in scale.steps]
    one_s = scale.steps[0].row.elapsed_s
    highest = max(numbers[-1], *(step.row.speed_up for step in scale.steps)) * HEADROOM
    x = Axis(scale.what, 0.0, numbers[-1] * HEADROOM, numbers)
    plot = Plot(scale.title, x, Axis("speed-up", 0.0, highest, round_ticks(highest)))
    plot.curve("ideal", "ideal", [(n, n) for n in along(x)])
    if law := scale.law:
        fitted = [(n, scale.fitted(n)) for n in along(x) if n >= 1]
        plot.curve("law", "Universal Scalability Law", fitted)
        if 1 < law.peak < x.high:
            plot.mark(law.peak, f"peak {law.peak:.1f}")
    for step in scale.steps:
        slow, fast = (step.row.elapsed_s + sign * step.row.spread_s for sign in (1, -1))
        plot.point(step.number, step.row.speed_up, one_s / slow, one_s / fast)
    return plot.render()


_CHARTS: dict[Varies, Callable[[Comparison], str]] = {
    "model": _bars,
    "chunks": _sweep,
    "slots": _scale,
    "hosts": _scale,
}
