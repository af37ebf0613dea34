"""Chart of a race's laps over time: throughput of each candidate's laps."""

from poolrace.producer.reports.charts import palette
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.words import lines, shortened
from poolrace.producer.results.race import Lap, Race

WIDTH = 640
"""Pixels of the plot in images; in HTML the plot is as wide as the page."""

HEIGHT = 320
"""Pixels of the plot."""

MAX_LAPS = 2000
"""Number of laps that are drawn; of more laps, every k-th one."""

POOL_SHAPES = {
    "prefork": "circle",
    "threads": "square",
    "gevent": "triangle-up",
    "solo": "diamond",
}
"""Pool -> the shape of its points; other pools are drawn as crosses."""

STAGES = ("base", "search", "final")
"""Stages of a race; the stroke of a point says which stage its lap belongs to."""

STROKE_WIDTHS = (0.5, 1.5, 3)
"""Pixels of the stroke of points, per stage."""


def laps_chart(race: Race) -> Chart | None:
    """Throughput of all laps over the time of the race; ``None`` if the file has no start times."""
    laps = [lap for lap in race.laps if lap.at_s is not None]
    if not laps:
        return None
    drawn = laps[:: -(-len(laps) // MAX_LAPS)]
    title = f"Laps of {shortened(race.task, 60)}"
    left_out = "" if len(drawn) == len(laps) else f", of which {len(drawn):,} are drawn"
    counted = f"{len(laps):,} laps of {len(race.candidates)} candidate(s){left_out}"
    return Chart(
        name="laps",
        title=title,
        description=f"Throughput over the time of the race: {counted}.",
        spec=_spec(drawn, title, f"{counted}; more items/s is better"),
        height_hint=HEIGHT + 150,
    )


def _spec(laps: list[Lap], title: str, subtitle: str) -> dict[str, object]:
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    records = [_record(lap) for lap in laps]
    pools = list(dict.fromkeys(record["pool"] for record in records))
    shapes = [POOL_SHAPES.get(pool, "cross") for pool in pools]
    colours = [palette.MARKS[i % len(palette.MARKS)] for i in range(len(pools))]
    zoom = alt.selection_interval(name="zoom", bind="scales", encodings=["x"])
    points = alt.Chart(alt.Data(values=records)).mark_point(
        filled=True, size=80, opacity=0.85, stroke=palette.TEXT, clip=True
    )
    points = points.encode(
        x=alt.X("at_s:Q").title("seconds since the start of the race").axis(tickCount=6),
        y=alt.Y("items_per_s:Q").title("throughput (items/s)").scale(zero=True),
        color=alt.Color("pool:N").title("pool").scale(domain=pools, range=colours),
        shape=alt.Shape("pool:N").title("pool").scale(domain=pools, range=shapes),
        strokeWidth=alt.StrokeWidth("stage:N")
        .title("stage (stroke)")
        .scale(domain=list(STAGES), range=list(STROKE_WIDTHS)),
        tooltip=[
            alt.Tooltip("candidate:N", title="candidate"),
            alt.Tooltip("stage:N", title="stage"),
            alt.Tooltip("round:Q", title="round"),
            alt.Tooltip("items_per_s:Q", title="items/s", format=",.4~g"),
            alt.Tooltip("at_s:Q", title="started at (s)", format=".4~g"),
            alt.Tooltip("wall_s:Q", title="duration (s)", format=".4~g"),
            alt.Tooltip("failed:Q", title="failed items"),
        ],
    )
    chart = points.add_params(zoom).properties(
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


def _record(lap: Lap) -> dict[str, object]:
    return {
        "candidate": shortened(str(lap.candidate), 80),
        "pool": shortened(lap.candidate.pool, 30),
        "stage": lap.kind,
        "round": lap.round,
        "at_s": None if lap.at_s is None else round(lap.at_s, 3),
        "items_per_s": lap.items_per_s,
        "wall_s": round(lap.wall_s, 3),
        "failed": sum(lap.failures.values()),
    }
