"""Charts of runs over time: one row per slot, one bar per chunk, marks for faults."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from poolrace.producer.analysis.comparison_summary import runs_by_case
from poolrace.producer.analysis.timeline import Timeline, timeline_of
from poolrace.producer.reports.charts import palette
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.timeline_data import (
    band_rows,
    bar_rows,
    mark_rows,
    row_labels,
)
from poolrace.producer.reports.charts.words import lines, shortened
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.run import Run

if TYPE_CHECKING:
    import altair as alt

WIDTH = 640
"""Pixels of the plot in images; in HTML the plot is as wide as the page."""

TALL_ROW = 24
"""Pixels of a row if there are up to ``FEW_ROWS`` rows."""

LOW_ROW = 15
"""Pixels of a row if there are more rows: labels of 11 pixels do not touch each other."""

FEW_ROWS = 16
"""Number of rows up to which a row is ``TALL_ROW`` pixels high."""

MAX_BYTES = 700_000
"""Bytes of the specs of all timelines of one report: with 0.9 MB of scripts the HTML report stays
below 2 MB."""

CPU = "CPU"
WAITING = "waiting (thin)"
NOT_MEASURED = "CPU not measured"
"""Parts of a chunk's time, as the legend names them."""

MARK_SHAPES = {
    "joined": "triangle-up",
    "silent": "cross",
    "left": "triangle-down",
    "reconnected": "circle",
    "resent": "diamond",
    "retried": "square",
    "duplicate": "triangle-left",
    "backup": "triangle-right",
    "event": "arrow",
}
"""Kind of a mark -> its shape."""

MARK_WORDS = {
    "silent": "fell silent",
    "resent": "sent again",
    "backup": "backup copy",
    "event": "other event",
}
"""Kind of a mark -> its name in the legend, where it differs."""


def timeline_chart(run: Run, name: str = "timeline", last_s: float | None = None) -> Chart | None:
    """Timeline of one run, with a time axis that ends at ``last_s`` or the end of the run.

    ``None`` if the run's file holds neither chunks nor utilisation.
    """
    timeline = timeline_of(run)
    if not timeline.rows or not (timeline.bars or timeline.bands):
        return None
    title = f"Timeline of {shortened(run.model, 40)}"
    height = len(timeline.rows) * (TALL_ROW if len(timeline.rows) <= FEW_ROWS else LOW_ROW)
    return Chart(
        name=name,
        title=title,
        description=_description(run, timeline),
        spec=_spec(run, timeline, title, height, last_s or timeline.elapsed_s),
        height_hint=height + 150,
    )


def timeline_charts(comparison: Comparison) -> tuple[Chart, ...]:
    """Timelines of the median run of each case, all on the same time axis.

    Cases are left out after the first ones once the specs take ``MAX_BYTES``; a sentence below the
    title of the last timeline counts them.
    """
    median_runs = [
        sorted(runs, key=lambda run: run.elapsed_s)[(len(runs) - 1) // 2]
        for runs in runs_by_case(comparison).values()
    ]
    last_s = max(run.elapsed_s for run in median_runs)
    charts: list[Chart] = []
    size_bytes = 0
    for number, run in enumerate(median_runs, 1):
        chart = timeline_chart(run, f"timeline-{number}", last_s)
        if chart is None:
            continue
        size_bytes += len(repr(chart.spec))
        if charts and size_bytes > MAX_BYTES:
            left = len(median_runs) - number + 1
            charts[-1].spec["title"]["subtitle"].append(
                f"{left} more case(s) have no timeline here: the report would be too large."
            )
            break
        charts.append(chart)
    return tuple(charts)


def _description(run: Run, timeline: Timeline) -> str:
    marks = Counter(mark.kind or "event" for mark in timeline.marks)
    marks.update(bar.mark for bar in timeline.bars if bar.mark)
    counted = ", ".join(f"{number} {kind}" for kind, number in sorted(marks.items()))
    drawn = "a bar per chunk" if timeline.whole else "the utilisation over time"
    return (
        f"Timeline of a run of {run.model}: {run.chunks:,} chunks in {run.elapsed_s:.3g} s,"
        f" {len(timeline.rows)} rows with {drawn}; marks: {counted or 'none'}."
    )


def _subtitle(run: Run, timeline: Timeline) -> list[str]:
    if timeline.whole:
        text = f"{run.chunks:,} chunks of {run.workload} in {timeline.elapsed_s:.3g} s"
        return lines(
            f"{text}; within a bar, CPU time is drawn before waiting time; dotted line: sent, not"
            " started yet"
        )
    bin_s = max((band.to_s - band.from_s for band in timeline.bands), default=0.0)
    return lines(f"all {run.chunks:,} chunks, utilisation per {bin_s:.3g} s")


def _spec(run: Run, timeline: Timeline, title: str, height: int, last_s: float) -> dict[str, Any]:
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    labels = row_labels(timeline)
    x = alt.Scale(domain=[0, last_s], nice=False, zero=True)
    y = (
        alt.Y("label:N")
        .title(None)
        .scale(domain=labels, paddingInner=0.15, paddingOuter=0.6)
        .sort(None)
    )
    y = y.axis(labelLimit=130, labelFontSize=11, grid=False, ticks=False, domain=False)
    chunks = _bars(timeline, labels, x, y) if timeline.whole else _bands(timeline, labels, x, y)
    zoom = alt.selection_interval(name="zoom", bind="scales", encodings=["x"])
    chunks[0] = chunks[0].add_params(zoom)
    # One group of layers per legend: layers of one group share their colours.
    groups = [alt.layer(*chunks), _idle(timeline, labels, y)]
    if marks := _marks(timeline, labels, x, y):
        groups.insert(1, alt.layer(*marks))
    chart = alt.layer(*groups).resolve_scale(color="independent")
    chart = chart.properties(
        width=WIDTH,
        height=height,
        title=alt.TitleParams(
            text=lines(title), subtitle=_subtitle(run, timeline), anchor="start", frame="group"
        ),
    )
    chart = chart.configure_legend(
        orient="bottom", labelFontSize=11, titleFontSize=11, labelLimit=250, symbolSize=90
    )
    chart = chart.configure_axis(labelFontSize=11, titleFontSize=12)
    chart = chart.configure_title(fontSize=15, subtitleFontSize=12)
    return chart.to_dict()


def _x(field: str, scale: "alt.Scale") -> "alt.X":
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    title = "time (s, by the producer's clock)"
    return alt.X(f"{field}:Q").scale(scale).title(title).axis(grid=True, tickCount=6)


def _bars(timeline: Timeline, labels: list[str], x: "alt.Scale", y: "alt.Y") -> "list[alt.Chart]":
    """Layers of chunks: the CPU part at full height, the waiting part thin, and a line from
    dispatch to start."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    data, columns = bar_rows(timeline, labels)
    base = alt.Chart(alt.Data(values=data, name="chunks")).transform_flatten(columns)
    base = base.transform_calculate(
        range="'[' + format(datum.start, ',') + ', ' + format(datum.stop, ',') + ')'",
        duration="datum.ended - datum.began",
    )
    parts = {CPU: palette.BLUE, WAITING: palette.ORANGE, NOT_MEASURED: palette.SKY}
    measured = [bar.cpu_s is not None for bar in timeline.bars]
    present = [
        *([CPU, WAITING] if any(measured) else []),
        *([] if all(measured) else [NOT_MEASURED]),
    ]
    colour = alt.Color("part:N").title("time of a chunk").legend(columns=1, symbolType="square")
    colour = colour.scale(domain=present, range=[parts[part] for part in present])
    tooltip = [
        alt.Tooltip("range:N", title="range"),
        alt.Tooltip("host:N", title="host"),
        alt.Tooltip("slot:N", title="slot"),
        alt.Tooltip("duration:Q", title="duration (s)", format=".4~g"),
        alt.Tooltip("cpu:Q", title="CPU (s)", format=".4~g"),
        alt.Tooltip("waited:Q", title="waiting (s)", format=".4~g"),
        alt.Tooltip("sent:Q", title="sent at (s)", format=".4~g"),
        alt.Tooltip("began:Q", title="started at (s)", format=".4~g"),
        alt.Tooltip("mark:N", title="mark"),
    ]
    until = "datum.cpu === null ? datum.ended : min(datum.ended, datum.began + datum.cpu)"
    part = f"datum.cpu === null ? '{NOT_MEASURED}' : '{CPU}'"
    solid = base.transform_calculate(until=until, part=part)
    waiting = base.transform_filter("datum.cpu !== null && datum.began + datum.cpu < datum.ended")
    waiting = waiting.transform_calculate(from_s="datum.began + datum.cpu", part=f"'{WAITING}'")
    sent = base.transform_filter("datum.sent !== null && datum.sent < datum.began")
    edge = {"stroke": palette.BACKGROUND, "strokeWidth": 0.5, "clip": True}
    return [
        sent.mark_rule(color=palette.GREY, strokeWidth=1, strokeDash=[2, 2], clip=True).encode(
            x=_x("sent", x), x2="began", y=y, tooltip=tooltip
        ),
        solid.mark_bar(**edge).encode(
            x=_x("began", x), x2="until", y=y, color=colour, tooltip=tooltip
        ),
        waiting.mark_bar(height=alt.RelativeBandSize(band=0.45), **edge).encode(
            x=_x("from_s", x), x2="ended", y=y, color=colour, tooltip=tooltip
        ),
    ]


def _bands(timeline: Timeline, labels: list[str], x: "alt.Scale", y: "alt.Y") -> "list[alt.Chart]":
    """The layer of utilisation: the busier a slot, the more opaque its band."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    data, columns = band_rows(timeline, labels)
    base = alt.Chart(alt.Data(values=data, name="bands")).transform_flatten(columns)
    opacity = alt.Opacity("utilisation:Q").title("utilisation").legend(format="%")
    return [
        base.mark_bar(color=palette.BLUE, clip=True).encode(
            x=_x("from_s", x),
            x2="to_s",
            y=y,
            opacity=opacity.scale(domain=[0, 1], range=[0.04, 1]),
            tooltip=[
                alt.Tooltip("host:N", title="host"),
                alt.Tooltip("slot:N", title="slot"),
                alt.Tooltip("from_s:Q", title="from (s)", format=".4~g"),
                alt.Tooltip("to_s:Q", title="to (s)", format=".4~g"),
                alt.Tooltip("utilisation:Q", title="utilisation", format=".0%"),
            ],
        )
    ]


def _marks(timeline: Timeline, labels: list[str], x: "alt.Scale", y: "alt.Y") -> "list[alt.Chart]":
    """Layers of marks: on their rows, or at the top of the chart if they belong to no row."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    placed, general = mark_rows(timeline, labels)
    present = {row["kind"] for row in (*placed, *general)}
    kinds = [kind for kind in MARK_SHAPES if kind in present]
    words = [MARK_WORDS.get(kind, kind) for kind in kinds]
    shapes = [MARK_SHAPES[kind] for kind in kinds]
    colours = [palette.MARKS[i % len(palette.MARKS)] for i in map(list(MARK_SHAPES).index, kinds)]
    shape = alt.Shape("name:N").scale(domain=words, range=shapes)
    shape = shape.title("marks").legend(columns=2)
    colour = alt.Color("name:N").scale(domain=words, range=colours)
    colour = colour.title("marks").legend(columns=2)
    tooltip = [
        alt.Tooltip("text:N", title="event"),
        alt.Tooltip("host:N", title="host"),
        alt.Tooltip("at_s:Q", title="at (s)", format=".4~g"),
    ]
    layers = []
    for rows, where in ((general, alt.YValue(6)), (placed, y)):
        if rows:
            for row in rows:
                row["name"] = MARK_WORDS.get(row["kind"], row["kind"])
            points = alt.Chart(alt.Data(values=rows)).mark_point(
                filled=True, size=90, opacity=1, clip=True, stroke=palette.TEXT, strokeWidth=1
            )
            layers.append(
                points.encode(x=_x("at_s", x), y=where, shape=shape, color=colour, tooltip=tooltip)
            )
    return layers


def _idle(timeline: Timeline, labels: list[str], y: "alt.Y") -> "alt.Chart":
    """The layer of texts beside the rows: idle seconds of each slot."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    texts = [
        {"label": label, "idle": "" if row.idle_s is None else f"idle {row.idle_s:.3g} s"}
        for row, label in zip(timeline.rows, labels, strict=True)
    ]
    text = alt.Chart(alt.Data(values=texts)).mark_text(
        align="left", dx=6, fontSize=11, color=palette.TEXT, clip=False
    )
    return text.encode(x=alt.XValue("width"), y=y, text="idle:N")
