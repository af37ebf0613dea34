"""Layers of the charts of a race: lines, points, intervals, labels and marks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from poolrace.producer.reports.charts import palette
from poolrace.producer.reports.charts.pools import DASHES, pool_colour, pool_shape
from poolrace.producer.reports.charts.race_data import FAILED, GIVEN_UP, LOST, Row
from poolrace.producer.reports.charts.scales import Scale
from poolrace.producer.reports.charts.style import MEDIUM
from poolrace.producer.results.candidate import Candidate

if TYPE_CHECKING:
    import altair as alt

MARK_SHAPES = {
    FAILED: "M-1,-1L1,1M-1,1L1,-1",
    LOST: "M0,-1.3L0,1.3M-1.3,0L1.3,0",
    GIVEN_UP: "M-1.4,0.6L0,-0.8L1.4,0.6",
}
"""Kind of a mark -> its shape as an SVG path: a cross, a plus, and an angle."""

NUMBERS = ",.6~r"
"""Format of the numbers at axes."""

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
    """Values with a tick from left to right; empty for those of the scale."""

    def encoded(self) -> dict[str, Any]:
        """The channels of both axes."""
        import altair as alt  # noqa: PLC0415 # optional: the extra charts

        x = alt.X("x:Q").title(self.title).scale(self.x.altair())
        y = alt.Y("items_per_s:Q").title("throughput (items/s)").scale(self.y.altair())
        return {
            "x": x.axis(grid=True, format=NUMBERS, **_ticks(self.ticks or self.x.ticks())),
            "y": y.axis(format=NUMBERS, **_ticks(self.y.ticks())),
        }


@dataclass(frozen=True)
class Series:
    """The lines of a chart: colour and shape say the pool, and further lines of a pool, as those of
    several workers, have hollow points."""

    candidates: Mapping[str, Candidate]
    """Name of a line -> one of its candidates."""

    def encoded(self, *, legend: bool) -> dict[str, Any]:
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
        x = axes.encoded()["x"]
        layers.append(whiskers.encode(x=x, y=alt.Y("low:Q"), y2="high:Q", **stroke))
    return layers


def points(rows: list[Row], series: Series, axes: Axes, *, small: bool = False) -> "alt.Chart":
    """Points of candidates, or small ones of single laps."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    size: dict[str, Any] = {"size": 18, "opacity": 0.55} if small else {"size": 95, "opacity": 1.0}
    drawn = alt.Chart(alt.Data(values=rows)).mark_point(strokeWidth=2, **size)
    layer: alt.Chart = drawn.encode(
        **axes.encoded(), **series.encoded(legend=not small), tooltip=_tooltip(small=small)
    )
    return layer


def best(rows: list[Row], axes: Axes) -> "alt.Chart":
    """The line of the candidates than which no other one is faster with less memory."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    line = alt.Chart(alt.Data(values=rows)).mark_line(
        color=palette.GREY, strokeWidth=5, opacity=0.35, interpolate="step-after"
    )
    layer: alt.Chart = line.encode(**axes.encoded(), order="x:Q")
    return layer


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
    text = alt.Chart(alt.Data(values=free)).mark_text(align="left", dx=9)
    layer: alt.Chart = text.encode(**axes.encoded(), text="number:N")
    return layer


def labels(rows: list[Row], axes: Axes) -> "list[alt.Chart]":
    """Texts above all points that name the fastest and the recommended candidate.

    One layer draws an edge around the letters, so that lines behind them do not disturb.
    """
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    layers = []
    for number, row in enumerate(rows):
        third = min(int(3 * axes.x.place(row["x"])), 2)
        base = alt.Chart(alt.Data(values=[row])).encode(
            x=axes.encoded()["x"], y=alt.YValue(TOP + (LINE + 2) * number), text="text:N"
        )
        place: dict[str, Any] = {
            "align": ("left", "center", "right")[third],
            "baseline": "top",
            "fontSize": MEDIUM,
            "lineHeight": LINE,
        }
        edge: dict[str, Any] = {
            "stroke": palette.BACKGROUND,
            "strokeWidth": 4,
            "strokeJoin": "round",
        }
        layers += [base.mark_text(**place, **edge), base.mark_text(**place)]
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
    layer: alt.Chart = drawn.encode(**axes.encoded(), shape=shape, tooltip=tooltip)
    return layer


def _ticks(values: list[float]) -> dict[str, Any]:
    return {"values": values} if values else {"tickCount": 6}


def _tooltip(*, small: bool) -> "list[alt.Tooltip]":
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
