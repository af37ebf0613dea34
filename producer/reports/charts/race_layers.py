"""Layers of the charts of a race: lines, points, intervals, labels and marks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from poolrace.producer.reports.charts import palette
from poolrace.producer.reports.charts.layout import LABEL
from poolrace.producer.reports.charts.pools import DASHES, pool_colour, pool_shape
from poolrace.producer.reports.charts.race_data import FAILED, GIVEN_UP, LOST, Row
from poolrace.producer.reports.charts.scales import Scale
from poolrace.producer.results.candidate import Candidate

if TYPE_CHECKING:
    import altair as alt

MARK_SHAPES = {
    FAILED: "M-1,-1L1,1M-1,1L1,-1",
    LOST: "M0,-1.3L0,1.3M-1.3,0L1.3,0",
    GIVEN_UP: "M-1.4,0.6L0,-0.8L1.4,0.6",
}
"""Kind of a mark -> its shape as an SVG path: a cross, a plus, and an angle."""

TOP = 6
"""Pixels from the upper end of the plot to the first text."""

LINE = 14
"""Pixels from one line of text to the next one."""

NUMBER = (0.1, 0.05)
"""Width and height of a number beside its point, as shares of the plot on a phone."""


@dataclass(frozen=True)
class Axes:
    """The axes of a chart of candidates."""

    x: Scale
    y: Scale
    title: str
    ticks: list[float]
    """Values with a tick; empty for those that Vega chooses."""

    def encoded(self) -> "dict[str, alt.X | alt.Y]":
        """The channels of both axes."""
        import altair as alt  # noqa: PLC0415 # optional: the extra charts

        ticks = {"values": self.ticks} if self.ticks else {"tickCount": 6}
        x = alt.X("x:Q").title(self.title).scale(self.x.altair())
        y = alt.Y("items_per_s:Q").title("throughput (items/s)").scale(self.y.altair())
        return {
            "x": x.axis(grid=True, labelOverlap="greedy", format=",.6~r", **ticks),
            "y": y.axis(tickCount=6, format=",.6~r", labelOverlap="greedy"),
        }


@dataclass(frozen=True)
class Series:
    """The lines of a chart: colour and shape say the pool, and further lines of a pool, as those of
    several workers, have hollow points."""

    candidates: Mapping[str, Candidate]
    """Name of a line -> one of its candidates."""

    def encoded(self, *, legend: bool) -> "dict[str, alt.Stroke | alt.Fill | alt.Shape]":
        """The channels ``stroke``, ``fill`` and ``shape``, with one legend together or none."""
        import altair as alt  # noqa: PLC0415 # optional: the extra charts

        ones = list(self.candidates.values())
        colours = [pool_colour(one.pool) for one in ones]
        pools = [one.pool for one in ones]
        fills = [
            palette.BACKGROUND if one.pool in pools[:number] else pool_colour(one.pool)
            for number, one in enumerate(ones)
        ]
        shapes = [pool_shape(one.pool) for one in ones]
        channels = {
            "stroke": (alt.Stroke("series:N"), colours),
            "fill": (alt.Fill("series:N"), fills),
            "shape": (alt.Shape("series:N"), shapes),
        }
        return {
            name: channel.title("pool").scale(domain=list(self.candidates), range=values)
            if legend
            else channel.legend(None).scale(domain=list(self.candidates), range=values)
            for name, (channel, values) in channels.items()
        }

    def dashes(self) -> "alt.StrokeDash":
        """The channel of the lines' dashes, without a legend."""
        import altair as alt  # noqa: PLC0415 # optional: the extra charts

        names = list(self.candidates)
        dashes = [DASHES[number % len(DASHES)] for number in range(len(names))]
        return alt.StrokeDash("series:N").scale(domain=names, range=dashes).legend(None)


def curves(rows: list[Row], series: Series, axes: Axes) -> "list[alt.Chart]":
    """Lines through the medians, and the intervals of medians that have one."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    stroke = {"stroke": series.encoded(legend=False)["stroke"]}
    reached = [row for row in rows if row["items_per_s"] > 0]
    lines = alt.Chart(alt.Data(values=reached)).mark_line(strokeWidth=1.5)
    layers = [lines.encode(**axes.encoded(), **stroke, strokeDash=series.dashes())]
    if measured := [row for row in rows if row["low"] is not None]:
        whiskers = alt.Chart(alt.Data(values=measured)).mark_rule(strokeWidth=2, clip=True)
        x, y = axes.encoded().values()
        layers.append(whiskers.encode(x=x, y=alt.Y("low:Q"), y2="high:Q", **stroke))
    return layers


def points(rows: list[Row], series: Series, axes: Axes, *, small: bool = False) -> "alt.Chart":
    """Points of candidates, or small ones of single laps."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    size = {"size": 18, "opacity": 0.55} if small else {"size": 95, "opacity": 1.0}
    drawn = alt.Chart(alt.Data(values=rows)).mark_point(strokeWidth=2, **size)
    return drawn.encode(
        **axes.encoded(), **series.encoded(legend=not small), tooltip=_tooltip(small)
    )


def best(rows: list[Row], axes: Axes) -> "alt.Chart":
    """The line of the candidates than which no other one is faster with less memory."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    line = alt.Chart(alt.Data(values=rows)).mark_line(
        color=palette.GREY, strokeWidth=5, opacity=0.35, interpolate="step-after"
    )
    return line.encode(**axes.encoded(), order="x:Q")


def numbers(rows: list[Row], axes: Axes) -> "alt.Chart":
    """The concurrency beside each point, where no other point or text is in the way."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    places = [(axes.x.place(row["x"]), axes.y.place(row["items_per_s"])) for row in rows]
    taken = list(places)
    free = []
    for row, (x, y) in zip(rows, places, strict=True):
        if not any(x < left < x + NUMBER[0] and abs(y - top) < NUMBER[1] for left, top in taken):
            free.append(row)
            taken.append((x + NUMBER[0] / 2, y))
    text = alt.Chart(alt.Data(values=free)).mark_text(
        align="left", dx=9, fontSize=LABEL, color=palette.TEXT
    )
    return text.encode(**axes.encoded(), text="number:N")


def labels(rows: list[Row], axes: Axes) -> "list[alt.Chart]":
    """Texts above all points that name the fastest and the recommended candidate.

    One layer draws an edge around the letters, so that lines behind them do not disturb.
    """
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    layers = []
    for number, row in enumerate(rows):
        third = min(int(3 * axes.x.place(row["x"])), 2)
        place = {
            "align": ("left", "center", "right")[third],
            "baseline": "top",
            "fontSize": LABEL + 1,
            "lineHeight": LINE,
        }
        edge = {"stroke": palette.BACKGROUND, "strokeWidth": 4, "strokeJoin": "round"}
        for style in ({**edge, "color": palette.BACKGROUND}, {"color": palette.TEXT}):
            text = alt.Chart(alt.Data(values=[row])).mark_text(**place, **style)
            top = alt.YValue(TOP + (LINE + 2) * number)
            layers.append(text.encode(x=axes.encoded()["x"], y=top, text="text:N"))
    return layers


def leaders(rows: list[Row], axes: Axes) -> "list[alt.Chart]":
    """Lines from the texts of ``labels`` down to their points."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    layers = []
    for number, row in enumerate(rows):
        line = alt.Chart(alt.Data(values=[row])).mark_rule(color=palette.GREY, strokeDash=[1, 2])
        top = alt.Y2Value(TOP + (LINE + 2) * number + LINE * len(row["text"]))
        layers.append(line.encode(**axes.encoded(), y2=top))
    return layers


def marks(rows: list[Row], axes: Axes) -> "alt.Chart":
    """Marks of candidates that failed or were given up."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    kinds = [kind for kind in MARK_SHAPES if any(row["kind"] == kind for row in rows)]
    shape = alt.Shape("kind:N").title("marks").legend(columns=1)
    shape = shape.scale(domain=kinds, range=[MARK_SHAPES[kind] for kind in kinds])
    drawn = alt.Chart(alt.Data(values=rows)).mark_point(
        filled=False, color=palette.TEXT, size=110, strokeWidth=2, opacity=1
    )
    tooltip = [alt.Tooltip("candidate:N"), alt.Tooltip("kind:N"), alt.Tooltip("reason:N")]
    return drawn.encode(**axes.encoded(), shape=shape, tooltip=tooltip)


def _tooltip(small: bool) -> "list[alt.Tooltip]":
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    own = (
        [alt.Tooltip("lap:N", title="lap")]
        if small
        else [
            alt.Tooltip("low:Q", title="95 % from", format=",.4~g"),
            alt.Tooltip("high:Q", title="to", format=",.4~g"),
            alt.Tooltip("laps:Q", title="laps"),
        ]
    )
    return [
        alt.Tooltip("candidate:N", title="candidate"),
        alt.Tooltip("items_per_s:Q", title="items/s", format=",.4~g"),
        *own,
        alt.Tooltip("cpu_ms:Q", title="CPU per item (ms)", format=",.3~g"),
        alt.Tooltip("memory_mib:Q", title="peak memory (MiB)", format=",.0f"),
        alt.Tooltip("waited_ms:Q", title="waiting for a slot, p50 (ms)", format=",.3~g"),
        *([] if small else [alt.Tooltip("waits:Q", title="share that items wait", format=".0%")]),
        alt.Tooltip("failed:Q", title="failed items"),
    ]
