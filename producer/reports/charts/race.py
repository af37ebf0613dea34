"""Charts of a race: throughput over concurrency and over memory, laps over time, latencies."""

from itertools import pairwise
from typing import Any, Literal

from poolrace.producer.analysis.race_verdict import Verdict
from poolrace.producer.reports.charts import race_layers as layers
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.laps import laps_chart
from poolrace.producer.reports.charts.latencies import latency_charts
from poolrace.producer.reports.charts.race_data import (
    Row,
    best_rows,
    candidate_rows,
    label_rows,
    lap_rows,
    mark_rows,
    series_of_all,
)
from poolrace.producer.reports.charts.scales import Scale
from poolrace.producer.reports.charts.words import lines, shortened
from poolrace.producer.results.race import Race

HEIGHT = 340
"""Pixels of the plots."""

BESIDE = 0.03
"""Largest share of the axis between points of one number of slots, which stand side by side."""

Field = Literal["slots", "memory_mib"]
"""The field that is drawn from left to right."""

TITLES: dict[Field, str] = {
    "slots": "slots: items that can run at a time",
    "memory_mib": "peak memory of all workers (MiB)",
}
"""Titles of the axis from left to right."""


def race_charts(raced: Race, verdict: Verdict) -> tuple[Chart, ...]:
    """Throughput over concurrency and over memory, and laps and latencies if the file has them."""
    laps = laps_chart(raced)
    return (
        _throughput(raced, verdict),
        *([_memory(raced, verdict)] if len(verdict.summaries) > 1 else []),
        *([laps] if laps else []),
        *latency_charts(raced),
    )


def _throughput(raced: Race, verdict: Verdict) -> Chart:
    title = f"Throughput of {shortened(raced.task, 60)}"
    rows, laps = candidate_rows(verdict), lap_rows(raced)
    interval = any(row["low"] is not None for row in rows)
    whiskers = "; vertical line: 95 % interval (of three laps or more)" if interval else ""
    subtitle = f"more is better; small: a lap, large: median of a candidate{whiskers}"
    return Chart(
        name="throughput",
        title=title,
        description=f"Throughput over the number of slots. {_described(verdict)}",
        spec=_spec(verdict, "slots", laps, title, subtitle),
        height_hint=HEIGHT + 190,
    )


def _memory(raced: Race, verdict: Verdict) -> Chart:
    title = f"Throughput and memory of {shortened(raced.task, 50)}"
    subtitle = (
        "more throughput and less memory are better; beside a point: its concurrency; on the grey"
        " line: no other candidate is faster with less memory"
    )
    return Chart(
        name="memory",
        title=title,
        description=f"Throughput over peak memory. {_described(verdict)}",
        spec=_spec(verdict, "memory_mib", [], title, subtitle),
        height_hint=HEIGHT + 190,
    )


def _described(verdict: Verdict) -> str:
    named = [" ".join(row["text"]) for row in label_rows(verdict)]
    return f"{len(verdict.summaries)} candidate(s); {', '.join(named) or 'none recommended'}."


def _beside(rows: list[Row], series: list[str], x: Scale) -> dict[tuple[int, str], float]:
    """Number of slots and line -> share of the axis by which the point is moved to the right."""
    present = {(row["slots"], row["series"]) for row in rows}
    places = sorted(x.place(slots) for slots in {slots for slots, _ in present})
    gap = min((right - left for left, right in pairwise(places)), default=1.0)
    moves: dict[tuple[int, str], float] = {}
    for slots in {row["slots"] for row in rows}:
        names = [name for name in series if (slots, name) in present]
        step = min(BESIDE, gap / 2 / len(names))
        moves |= {(slots, name): step * (n - (len(names) - 1) / 2) for n, name in enumerate(names)}
    return moves


def _spec(
    verdict: Verdict, field: Field, laps: list[Row], title: str, subtitle: str
) -> dict[str, Any]:
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    over_slots = field == "slots"
    rows, texts, best = candidate_rows(verdict), label_rows(verdict), best_rows(verdict)
    marks = [row for row in mark_rows(verdict) if field in row]
    series = layers.Series(series_of_all(verdict))
    x = Scale.around([row[field] for row in (*rows, *laps, *marks)])
    y = Scale.of_speeds([row["items_per_s"] for row in (*rows, *laps, *marks)])
    beside = _beside(rows, list(series.candidates), x) if over_slots else {}
    for row in (*rows, *laps, *marks, *texts, *best):
        row["x"] = x.moved(row[field], beside.get((row["slots"], row["series"]), 0.0))
    ticks = sorted({row["slots"] for row in (*rows, *marks)}) if over_slots else []
    axes = layers.Axes(x, y, TITLES[field] + (", logarithmic" if x.log else ""), ticks)
    behind = layers.curves(rows, series, axes) if over_slots else [layers.best(best, axes)]
    if laps:
        behind.append(layers.points(laps, series, axes, small=True))
    # Scales are shared within a group only: one group has the legend of points, one that of marks.
    chart = alt.layer(
        alt.layer(*behind, *layers.leaders(texts, axes)),
        layers.points(rows, series, axes),
        *([layers.marks(marks, axes)] if marks else []),
        layers.numbers([row for row in rows if row["several"] or not over_slots], axes),
        *layers.labels(texts, axes),
    ).resolve_scale(shape="independent", fill="independent", stroke="independent")
    titles = alt.TitleParams(text=lines(title), subtitle=lines(subtitle))
    spec: dict[str, Any] = chart.properties(
        width="container", height=HEIGHT, title=titles
    ).to_dict()
    return spec
