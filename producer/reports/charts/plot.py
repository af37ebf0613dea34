"""Plots of measured values against a number: medians with their runs, curves, a marked number."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from poolrace.producer.reports.charts import palette, style
from poolrace.producer.reports.charts.scales import Scale
from poolrace.producer.reports.charts.words import lines

if TYPE_CHECKING:
    import altair as alt

HEIGHT = 320
"""Pixels of a plot."""

CURVE_SEGMENTS = 120
"""Number of straight segments per curve."""

HEADROOM = 1.12
"""Ratio of the upper end of an axis to its largest value."""

MARKS = "points: runs; short bar: median; line: fastest to slowest run"
"""Explanation of the shapes of measured values."""

Points = list[tuple[float, float]]
Record = dict[str, Any]


@dataclass(frozen=True)
class Curve:
    """A curve: its name in the legend, its colour, its dashes in pixels, and its points."""

    name: str
    colour: str
    dash: tuple[int, int]
    points: Points


@dataclass(frozen=True)
class Measured:
    """The values measured for one number: the median and the value of each run."""

    number: int
    median: float
    runs: Sequence[float]
    label: str
    """Text beside the median; may be empty."""
    tooltip: str
    """Text that a pointer at the median shows."""


@dataclass(frozen=True)
class Axis:
    """An axis: its title, its ends and its kind."""

    title: str
    low: float
    high: float
    is_log: bool = False
    format: str = "~g"
    """Format of its numbers, as Vega writes it."""

    def curve(self, function: Callable[[float], float]) -> Points:
        """Points of the function at equal distances along this axis, an x axis."""
        return [(number, function(number)) for number in map(self._at, range(CURVE_SEGMENTS + 1))]

    def _at(self, step: int) -> float:
        fraction = step / CURVE_SEGMENTS
        if self.is_log:
            return self.low * math.pow(self.high / self.low, fraction)
        return self.low + fraction * (self.high - self.low)


@dataclass(frozen=True)
class Plot:
    """A plot of measured values and curves."""

    x: Axis
    y: Axis
    measured: Sequence[Measured]
    curves: Sequence[Curve] = ()
    mark: tuple[float, str] | None = None
    """A number on the x axis and a text: a vertical line with a text beside it."""

    def spec(self, title: str, subtitle: str) -> Record:
        """The plot as a Vega-Lite specification."""
        import altair as alt  # noqa: PLC0415 # optional: the extra charts

        layers = [*self._curves(), *self._marked(), *self._values()]
        chart = alt.layer(*layers).properties(
            width="container",
            height=HEIGHT,
            title=alt.TitleParams(text=lines(title), subtitle=lines(subtitle)),
        )
        spec: Record = chart.to_dict()
        return spec

    def _chart(self, records: list[Record], y: str = "y") -> "alt.Chart":
        """A chart of the records over the axes of this plot."""
        import altair as alt  # noqa: PLC0415 # optional: the extra charts

        domain = [self.x.low, self.x.high]
        x = alt.X("x:Q").title(self.x.title)
        x = x.scale(type="log" if self.x.is_log else "linear", domain=domain, nice=False)
        numbers = [value.number for value in self.measured]
        x = x.axis(values=numbers, format=self.x.format, grid=False, labelFlush=False)
        scale = Scale(self.y.low, self.y.high, self.y.is_log)
        ticks = {"values": scale.ticks()} if scale.log else {"tickCount": 5}
        vertical = alt.Y(f"{y}:Q").title(self.y.title).axis(format=self.y.format, **ticks)
        vertical = vertical.scale(scale.altair())
        return alt.Chart(alt.Data(values=records)).encode(x=x, y=vertical)

    def _curves(self) -> "list[alt.Chart]":
        import altair as alt  # noqa: PLC0415 # optional: the extra charts

        if not self.curves:
            return []
        names = [curve.name for curve in self.curves]
        records = [
            {"curve": curve.name, "x": float(f"{x:.5g}"), "y": float(f"{y:.5g}")}
            for curve in self.curves
            for x, y in curve.points
        ]
        colours = [curve.colour for curve in self.curves]
        dashes = [list(curve.dash) for curve in self.curves]
        legend = alt.Legend(title=None, symbolSize=600)
        dash = alt.StrokeDash("curve:N", legend=legend).scale(domain=names, range=dashes)
        colour = alt.Color("curve:N", legend=legend).scale(domain=names, range=colours)
        chart = self._chart(records).mark_line(clip=True, strokeWidth=2)
        return [chart.encode(color=colour, strokeDash=dash, tooltip=alt.Tooltip("curve:N"))]

    def _marked(self) -> "list[alt.Chart]":
        import altair as alt  # noqa: PLC0415 # optional: the extra charts

        if self.mark is None:
            return []
        number, text = self.mark
        chart = self._chart([{"x": number, "y": self.y.high, "text": text}])
        is_left = number > self.measured[len(self.measured) // 2].number
        words = chart.mark_text(
            align="right" if is_left else "left",
            dx=-2 if is_left else 2,
            dy=-4,
            baseline="bottom",
            fontWeight="bold",
            fontSize=style.MEDIUM,
        )
        rule = chart.mark_rule(strokeDash=[3, 3], color=palette.TEXT).encode(y=alt.YValue(0))
        return [rule.encode(y2=alt.Y2Value("height")), words.encode(text="text:N")]

    def _values(self) -> "list[alt.Chart]":
        import altair as alt  # noqa: PLC0415 # optional: the extra charts

        medians = [
            {
                "x": value.number,
                "y": value.median,
                "low": min(value.runs),
                "high": max(value.runs),
                "label": value.label,
                "facts": value.tooltip,
            }
            for value in self.measured
        ]
        runs = [
            {"x": value.number, "y": y, "facts": f"run {number}: {y:.4g}"}
            for value in self.measured
            for number, y in enumerate(value.runs, 1)
        ]
        facts = alt.Tooltip("facts:N", title=self.x.title)
        many = [
            row for row, value in zip(medians, self.measured, strict=True) if len(value.runs) > 1
        ]
        interval = self._chart(many, "low").mark_rule(color=palette.TEXT, strokeWidth=1.5)
        median = self._chart(medians).mark_tick(
            orient="horizontal", size=16, thickness=3, opacity=1, color=palette.TEXT
        )
        single = self._chart(runs).mark_point(
            size=34, opacity=1, fill=palette.BACKGROUND, stroke=palette.TEXT, strokeWidth=1.2
        )
        label = self._chart(medians).mark_text(align="left", baseline="top", dx=10, dy=4)
        return [
            *([interval.encode(y2="high:Q")] if many else []),
            median.encode(tooltip=facts),
            single.encode(tooltip=facts),
            label.encode(text="label:N"),
        ]
