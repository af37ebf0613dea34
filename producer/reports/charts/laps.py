"""Chart of a race's laps over time: throughput of each candidate's laps."""

from typing import TYPE_CHECKING, Any

from poolrace.producer.reports.charts import palette
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.words import counted, lines, sentences, shortened
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Lap, Race

if TYPE_CHECKING:
    import altair as alt

HEIGHT = 320
"""Pixels of the plot."""

MAX_LAPS = 2000
"""Number of laps that are drawn; of more laps, every k-th one."""

LABEL_HEIGHT = 14
"""Pixels between the labels of two candidates, at least."""

POOLS = {
    "prefork": ("circle", palette.BLUE),
    "threads": ("square", palette.ORANGE),
    "gevent": ("triangle-up", palette.GREEN),
    "solo": ("diamond", palette.PURPLE),
}
"""Pool -> shape and colour of its points."""

OTHER = ("cross", palette.GREY)
"""Shape and colour of the points of other pools."""

STAGES = {"base": 0.0, "search": 0.35, "final": 1.0}
"""Stage of a race -> opacity of the fill of its points."""

Record = dict[str, Any]


def laps_chart(race: Race) -> Chart | None:
    """Throughput of all laps over the time of the race; ``None`` if the file has no start times."""
    laps = [lap for lap in race.laps if lap.at_s is not None]
    if not laps:
        return None
    drawn = laps[:: -(-len(laps) // MAX_LAPS)]
    left_out = "" if len(drawn) == len(laps) else f", of which {len(drawn):,} are drawn"
    title = f"Laps of {shortened(race.task, 37)}"
    summary = f"{counted(len(laps), 'lap')} of {counted(len(race.candidates), 'candidate')}"
    return Chart(
        name="laps",
        title=title,
        description=f"Throughput over the time of the race: {summary}{left_out}.",
        spec=_spec(drawn, race.finalists, title, f"{summary}{left_out}."),
        height_hint=HEIGHT + 190,
    )


def _spec(laps: list[Lap], finalists: list[Candidate], title: str, summary: str) -> Record:
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    subtitle = [
        summary,
        "More items/s are better.",
        "Lines join the laps of a candidate; names: finalists.",
    ]
    layers = [*_laps(laps), *_names(laps, finalists)]
    chart = alt.layer(*layers).properties(
        width="container",
        height=HEIGHT,
        title=alt.TitleParams(text=lines(title), subtitle=sentences(subtitle)),
    )
    spec: Record = chart.to_dict()
    return spec


def _laps(laps: list[Lap]) -> "list[alt.Chart]":
    """Layers of lines that join the laps of a candidate, and of points."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    records = [_record(lap) for lap in laps]
    pools = list(dict.fromkeys(record["pool"] for record in records))
    shapes, colours = map(list, zip(*(POOLS.get(pool, OTHER) for pool in pools), strict=True))
    color = alt.Color("pool:N").title("pool").scale(domain=pools, range=colours)
    filled = alt.FillOpacity("stage:N").title("stage: fill").legend(symbolFillColor=palette.TEXT)
    base = alt.Chart(alt.Data(values=records)).encode(
        x=alt.X("middle_s:Q").title("time since the start of the race (s)").axis(tickCount=6),
        y=alt.Y("items_per_s:Q").title("throughput (items/s)").scale(zero=True),
        color=color,
    )
    line = base.mark_line(strokeWidth=1, opacity=0.5, clip=True).encode(detail="candidate:N")
    zoom = alt.selection_interval(name="zoom", bind="scales", encodings=["x"])
    points = base.mark_point(size=80, strokeWidth=1.5, clip=True, opacity=1).encode(
        fill=alt.Fill("pool:N").title("pool").scale(domain=pools, range=colours),
        shape=alt.Shape("pool:N").title("pool").scale(domain=pools, range=shapes),
        fillOpacity=filled.scale(domain=list(STAGES), range=list(STAGES.values())),
        tooltip=_tooltip(),
    )
    return [line, points.add_params(zoom)]


def _names(laps: list[Lap], finalists: list[Candidate]) -> "list[alt.Chart]":
    """The layer of the finalists' names, beside the plot at the height of their last laps."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    last = {lap.candidate: lap.items_per_s for lap in laps if lap.candidate in finalists}
    most = max((lap.items_per_s for lap in laps), default=0.0)
    if not last or not most:
        return []
    records, free = [], 2.0
    for candidate, speed in sorted(last.items(), key=lambda item: item[1]):
        at = max(speed, free)
        free = at + most * LABEL_HEIGHT / HEIGHT
        records.append({"at": at, "name": shortened(str(candidate), 24)})
    texts = alt.Chart(alt.Data(values=records)).mark_text(align="left", dx=6, clip=False)
    return [texts.encode(x=alt.XValue("width"), y="at:Q", text="name:N")]


def _tooltip() -> "list[alt.Tooltip]":
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    return [
        alt.Tooltip("candidate:N", title="candidate"),
        alt.Tooltip("stage:N", title="stage"),
        alt.Tooltip("round:Q", title="round"),
        alt.Tooltip("items_per_s:Q", title="items/s", format=",.4~g"),
        alt.Tooltip("at_s:Q", title="started at (s)", format=".4~g"),
        alt.Tooltip("wall_s:Q", title="duration (s)", format=".4~g"),
        alt.Tooltip("failed:Q", title="failed items"),
    ]


def _record(lap: Lap) -> Record:
    at_s = lap.at_s or 0.0
    return {
        "candidate": shortened(str(lap.candidate), 80),
        "pool": shortened(lap.candidate.pool, 30),
        "stage": lap.kind,
        "round": lap.round,
        "at_s": round(at_s, 3),
        "middle_s": round(at_s + lap.wall_s / 2, 3),
        "items_per_s": lap.items_per_s,
        "wall_s": round(lap.wall_s, 3),
        "failed": sum(lap.failures.values()),
    }
