"""Charts of a race's latencies: ECDFs of waiting and running time per candidate."""

from typing import TYPE_CHECKING, Any, Literal

from poolrace.producer.analysis.stats import median
from poolrace.producer.reports.charts import palette
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.pools import DASHES
from poolrace.producer.reports.charts.scales import Scale
from poolrace.producer.reports.charts.words import counted, labels, lines, sentences, shortened
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Lap, Race

if TYPE_CHECKING:
    import altair as alt

HEIGHT = 260
"""Pixels of the plot."""

MAX_CANDIDATES = len(palette.MARKS)
"""Number of candidates that are drawn: as many as the palette has colours."""

LEAST_S = 1e-6
"""Seconds: the lower end of the logarithmic axis; shorter times are drawn there."""

UNITS = (
    "datum.value >= 1 ? format(datum.value, '~g') + ' s' : datum.value >= 0.001 ?"
    " format(datum.value * 1000, '~g') + ' ms' : format(datum.value * 1e6, '~g') + ' µs'"
)
"""Expression of Vega that writes the seconds of an axis in seconds, milli- or microseconds."""

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
    title = f"{time.capitalize()} time of {shortened(race.task, 29)}"
    drawn = dict(list(quantiles.items())[:MAX_CANDIDATES])
    left_out = len(quantiles) - len(drawn)
    subtitle = [f"Time {meaning}.", "Further left is better."]
    if left_out:
        subtitle.append(f"{counted(left_out, 'further candidate')} not drawn.")
    return Chart(
        name=f"{time}-times",
        title=title,
        description=(
            f"Share of items over the time {meaning}, a line for each of"
            f" {counted(len(drawn), 'candidate')}."
        ),
        spec=_spec(drawn, time, title, subtitle),
        height_hint=HEIGHT + 190,
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
    drawn: dict[Candidate, list[float]], time: Time, title: str, subtitle: list[str]
) -> dict[str, Any]:
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    names = labels(map(str, drawn), 60)
    records = [
        {"candidate": name, "time_s": max(time_s, LEAST_S), "share": number / (len(times) - 1)}
        for name, times in zip(names, drawn.values(), strict=True)
        for number, time_s in enumerate(times)
    ]
    chart = _lines(records, names, time).properties(
        width="container",
        height=HEIGHT,
        title=alt.TitleParams(text=lines(title), subtitle=sentences(subtitle)),
    )
    spec: dict[str, Any] = chart.to_dict()
    return spec


def _lines(records: list[dict[str, Any]], names: list[str], time: Time) -> "alt.Chart":
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    colours = list(palette.MARKS[: len(names)])
    dashes = [list(DASHES[number % len(DASHES)]) for number in range(len(names))]
    legend = alt.Legend(title="candidate", symbolSize=600, columns=1)
    scale = Scale.around([record["time_s"] for record in records])
    x = alt.X("time_s:Q").scale(scale.altair()).title(f"{time} time{' (logarithmic)' * scale.log}")
    ticks = {"values": scale.ticks()} if scale.log else {"tickCount": 6}
    zoom = alt.selection_interval(name="zoom", bind="scales", encodings=["x"])
    chart = alt.Chart(alt.Data(values=records)).mark_line(strokeWidth=2, clip=True)
    drawn: alt.Chart = chart.add_params(zoom).encode(
        x=x.axis(labelExpr=UNITS, labelOverlap="greedy", **ticks),
        y=alt.Y("share:Q").title("share of items").scale(domain=[0, 1]).axis(format="%"),
        order="share:Q",
        color=alt.Color("candidate:N", legend=legend).scale(domain=names, range=colours),
        strokeDash=alt.StrokeDash("candidate:N", legend=legend).scale(domain=names, range=dashes),
        tooltip=[
            alt.Tooltip("candidate:N", title="candidate"),
            alt.Tooltip("share:Q", title="share of items", format=".0%"),
            alt.Tooltip("time_s:Q", title="up to (s)", format=".4~g"),
        ],
    )
    return drawn
