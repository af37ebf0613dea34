"""The chart of a comparison, by what varies: bars of models, or a plot of points and laws."""

from collections.abc import Callable

from poolrace.producer.reports.drawing.svg import Axis, Bar, Drawing, Plot, along, bars, round_ticks
from poolrace.producer.reports.views.comparison import rows
from poolrace.producer.reports.views.scale import Scale
from poolrace.producer.reports.views.sweep import Sweep
from poolrace.producer.results.comparison import Comparison, Varies

HEADROOM = 1.12
"""The plot ends so far above what it shows."""


def chart(comparison: Comparison) -> Drawing | None:
    """The chart, ``None`` if there is nothing to show."""
    return _CHARTS[comparison.varies](comparison) if comparison.runs else None


def _bars(comparison: Comparison) -> Drawing:
    found = [
        Bar(
            "local" if row.model.startswith("local:") else "celery",
            row.model,
            row.elapsed_s,
            f"{row.elapsed_s:.2f} s · {row.speed_up:.2f}x",
        )
        for row in rows(comparison)
    ]
    return bars("time of each model", found)


def _sweep(comparison: Comparison) -> Drawing:
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
    return plot.drawing()


def _scale(comparison: Comparison) -> Drawing:
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
    return plot.drawing()


_CHARTS: dict[Varies, Callable[[Comparison], Drawing]] = {
    "model": _bars,
    "chunks": _sweep,
    "slots": _scale,
    "hosts": _scale,
}
