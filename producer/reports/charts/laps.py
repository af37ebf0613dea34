"""Chart of a race's laps over time: throughput of each candidate's laps."""

from typing import TYPE_CHECKING, Any

from poolrace.producer.reports.charts import palette
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.pools import pool_colour, pool_shape
from poolrace.producer.reports.charts.scales import Scale
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

STAGES = {"base": 25, "search": 50, "final": 110}
"""Stage of a race -> size of its points in square pixels; only those of final laps are filled."""

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
        "Filled: final laps; hollow: search; small and hollow: base.",
        "Lines join the laps of a candidate; names: finalists.",
    ]
    scale = Scale.of_speeds([lap.items_per_s for lap in laps])
    layers = [*_laps(laps, scale), *_names(laps, finalists, scale)]
    chart = alt.layer(*layers).properties(
        width="container",
        height=HEIGHT,
        title=alt.TitleParams(text=lines(title), subtitle=sentences(subtitle)),
    )
    spec: Record = chart.to_dict()
    return spec


def _laps(laps: list[Lap], scale: Scale) -> "list[alt.Chart]":
    """Layers of lines that join the laps of a candidate, and of the points of each stage."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    records = [_record(lap) for lap in laps]
    pools = list(dict.fromkeys(record["pool"] for record in records))
    shapes = [*map(pool_shape, pools)]
    colour = alt.Color("pool:N").title("pool").scale(domain=pools, range=[*map(pool_colour, pools)])
    base = alt.Chart(alt.Data(values=records)).encode(
        x=alt.X("middle_s:Q").title("time since the start of the race (s)").axis(tickCount=6),
        y=_y(scale),
        color=colour,
    )
    line = base.mark_line(strokeWidth=1, opacity=0.5, clip=True).encode(detail="candidate:N")
    zoom = alt.selection_interval(name="zoom", bind="scales", encodings=["x"])
    points = base.encode(
        shape=alt.Shape("pool:N").title("pool").scale(domain=pools, range=shapes),
        tooltip=_tooltip(),
    )
    layers = [line.add_params(zoom)]
    for stage, size in STAGES.items():
        of_stage = points.transform_filter(f"datum.stage === '{stage}'")
        if stage == "final":
            layers.append(of_stage.mark_point(filled=True, size=size, opacity=1, clip=True))
        else:
            fill = palette.BACKGROUND
            layers.append(of_stage.mark_point(fill=fill, size=size, opacity=1, clip=True))
    return layers


def _names(laps: list[Lap], finalists: list[Candidate], scale: Scale) -> "list[alt.Chart]":
    """The layer of the finalists' names, beside the plot at the height of their last laps."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    last = {lap.candidate: lap.items_per_s for lap in laps if lap.candidate in finalists}
    records, free = [], 0.02
    for candidate, speed in sorted(last.items(), key=lambda item: item[1]):
        place = max(scale.place(speed), free)
        free = place + LABEL_HEIGHT / HEIGHT
        name = shortened(str(candidate), 24)
        records.append({"items_per_s": scale.moved(scale.low, place), "name": name})
    if not records:
        return []
    texts = alt.Chart(alt.Data(values=records)).mark_text(align="left", dx=6, clip=False)
    return [texts.encode(x=alt.XValue("width"), y=_y(scale), text="name:N")]


def _y(scale: Scale) -> "alt.Y":
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    y = alt.Y("items_per_s:Q").title("throughput (items/s)").scale(scale.altair())
    return y.axis(values=scale.ticks()) if scale.log else y.axis(tickCount=6)


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
