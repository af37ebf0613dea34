"""Charts of a race's latencies: ECDFs of waiting and running time per candidate."""

from typing import Literal

from poolrace.producer.analysis.stats import median
from poolrace.producer.reports.charts import palette
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.words import lines, shortened
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Lap, Race

WIDTH = 640
"""Pixels of the plot in images; in HTML the plot is as wide as the page."""

HEIGHT = 260
"""Pixels of the plot."""

MAX_CANDIDATES = 8
"""Number of candidates that are drawn: as many as the palette has colours."""

LEAST_S = 1e-6
"""Seconds: the lower end of the logarithmic axis; shorter times are drawn there."""

DASHES = ([1, 0], [6, 3], [2, 2], [8, 2, 2, 2])
"""Pixels of dash and gap of the lines, in turn, so that colour is not alone."""

Time = Literal["waiting", "running"]


def latency_charts(race: Race) -> tuple[Chart, ...]:
    """ECDFs of waiting and of running time; none if the file holds no quantiles.

    The quantiles of a candidate are the medians over its final laps, or over all its laps if it
    has no final ones. Finalists are drawn first, then other candidates up to ``MAX_CANDIDATES``.
    """
    charts = (_chart(race, "waiting"), _chart(race, "running"))
    return tuple(chart for chart in charts if chart is not None)


def _chart(race: Race, time: Time) -> Chart | None:
    ordered = list(dict.fromkeys([*race.finalists, *race.candidates]))
    quantiles = {name: found for name in ordered if (found := _quantiles(race, name, time))}
    if not quantiles:
        return None
    meaning = "between sending an item and its start" if time == "waiting" else "an item runs"
    title = f"{time.capitalize()} time of {shortened(race.task, 50)}"
    drawn = dict(list(quantiles.items())[:MAX_CANDIDATES])
    counted = f"{len(drawn)} of {len(quantiles)} candidate(s)"
    return Chart(
        name=f"{time}-times",
        title=title,
        description=f"Share of items over the time {meaning}, a line for {counted}.",
        spec=_spec(drawn, time, title, f"time {meaning}, {counted}; further left is better"),
        height_hint=HEIGHT + 170,
    )


def _quantiles(race: Race, candidate: Candidate, time: Time) -> list[float]:
    laps = [lap for lap in race.laps if lap.candidate == candidate and _of(lap, time)]
    laps = [lap for lap in laps if lap.kind == "final"] or laps
    values = [_of(lap, time) for lap in laps]
    return [median(column) for column in zip(*values, strict=True)]


def _of(lap: Lap, time: Time) -> list[float]:
    quantiles = lap.waiting_quantiles_s if time == "waiting" else lap.running_quantiles_s
    return quantiles or []


def _spec(
    drawn: dict[Candidate, list[float]], time: Time, title: str, subtitle: str
) -> dict[str, object]:
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    names = [shortened(str(candidate), 60) for candidate in drawn]
    records = [
        {"candidate": name, "time_s": max(time_s, LEAST_S), "share": number / (len(times) - 1)}
        for name, times in zip(names, drawn.values(), strict=True)
        for number, time_s in enumerate(times)
        if len(times) > 1
    ]
    colours = [palette.MARKS[i % len(palette.MARKS)] for i in range(len(names))]
    dashes = [DASHES[i % len(DASHES)] for i in range(len(names))]
    units = (
        "datum.value >= 1 ? format(datum.value, '~g') + ' s' : datum.value >= 0.001 ?"
        " format(datum.value * 1000, '~g') + ' ms' : format(datum.value * 1e6, '~g') + ' µs'"
    )
    x = alt.X("time_s:Q").scale(type="log").title(f"{time} time (logarithmic)")
    chart = alt.Chart(alt.Data(values=records)).mark_line(interpolate="step-after", strokeWidth=2)
    chart = chart.encode(
        x=x.axis(labelExpr=units, labelOverlap="greedy"),
        y=alt.Y("share:Q").title("share of items").scale(domain=[0, 1]).axis(format="%"),
        order="share:Q",
        color=alt.Color("candidate:N").title("candidate").scale(domain=names, range=colours),
        strokeDash=alt.StrokeDash("candidate:N").scale(domain=names, range=dashes),
        tooltip=[
            alt.Tooltip("candidate:N", title="candidate"),
            alt.Tooltip("share:Q", title="share of items", format=".0%"),
            alt.Tooltip("time_s:Q", title="up to (s)", format=".4~g"),
        ],
    )
    chart = chart.properties(
        width=WIDTH,
        height=HEIGHT,
        title=alt.TitleParams(
            text=lines(title), subtitle=lines(subtitle), anchor="start", frame="group"
        ),
    )
    chart = chart.configure_legend(
        orient="bottom", direction="horizontal", columns=2, labelFontSize=11, titleFontSize=11
    )
    chart = chart.configure_axis(labelFontSize=11, titleFontSize=12)
    return chart.configure_title(fontSize=15, subtitleFontSize=12).to_dict()
