"""Chart of a diff: the ratio of each case, new to old, with its interval and its result."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from poolrace.producer.analysis.diff import CaseDiff, Diff
from poolrace.producer.analysis.diff_statistics import INTERVAL_CONFIDENCE
from poolrace.producer.reports.charts import palette
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.scales import MUCH, Scale
from poolrace.producer.reports.charts.words import lines, shortened

if TYPE_CHECKING:
    import altair as alt

ROW = 38
"""Pixels of a row: a line of text above the point and its interval."""

ABOVE, BELOW = 9, 9
"""Pixels from the middle of a row up to its text, and down to its point."""

MAX_CASES = 80
"""Number of cases that are drawn; of more cases, those that changed most."""

NAME = 36
"""Number of characters of a case's name: 240 pixels, beside its result on a phone."""

FARTHEST = 2.0
"""Factor beyond the points by which intervals extend the axis at most; they are cut off there."""

TICKS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3)
"""Ratios with a tick on a short axis."""


@dataclass(frozen=True)
class _Look:
    """How cases with a result are drawn."""

    word: str
    """The result in a word, which has room beside the name of a case on a phone."""
    colour: str
    shape: str


LOOKS = {
    "slower": _Look("slower", palette.RED, "triangle-down"),
    "faster": _Look("faster", palette.BLUE, "triangle-up"),
    "same": _Look("same", palette.GREEN, "square"),
    "not distinguishable": _Look("unclear", palette.GREY, "circle"),
    "too few values": _Look("too few", palette.GREY, "cross"),
}
"""Result of a case, as the legend names it -> how it is drawn."""

Row = dict[str, Any]


def diff_charts(diff: Diff) -> tuple[Chart, ...]:
    """The ratios of all cases; none if no case was measured in both files."""
    if not diff.cases:
        return ()
    cases = _drawn(diff)
    quantity = "Throughput" if diff.is_rate else "Time"
    title = f"{quantity} in NEW over {quantity.lower()} in OLD"
    numbers = Counter(map(_result, cases))
    counted = ", ".join(f"{numbers[result]} {result}" for result in LOOKS if numbers[result])
    return (
        Chart(
            name="ratios",
            title=title,
            description=f"{title}, of {len(cases)} case(s): {counted}.",
            spec=_spec(diff, cases, title),
            height_hint=ROW * len(cases) + 190,
        ),
    )


def _drawn(diff: Diff) -> list[CaseDiff]:
    """The cases to draw, in the order of the table."""
    changed = sorted(diff.cases, key=lambda case: -abs(math.log(case.ratio)))[:MAX_CASES]
    return [case for case in diff.cases if case in changed]


def _result(case: CaseDiff) -> str:
    return case.result if case.judged else "too few values"


def _spec(diff: Diff, cases: list[CaseDiff], title: str) -> dict[str, Any]:
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    rows = [_row(number, case) for number, case in enumerate(cases)]
    better = "more is better" if diff.is_rate else "less is better"
    left_out = "" if len(cases) == len(diff.cases) else f" (of {len(diff.cases)}, the most changed)"
    subtitle = (
        f"{better}; line: {100 * INTERVAL_CONFIDENCE:g} % interval; band: within"
        f" {100 * diff.margin:g} % counts as the same; {len(cases)} case(s){left_out}"
    )
    unit = f"ratio of {'items/s' if diff.is_rate else 'times'}, NEW / OLD; {better}"
    scale = _scale(diff, cases)
    fine = [tick for tick in TICKS if scale.low < tick < scale.high]
    x = alt.X("ratio:Q").title(unit).scale(scale.altair())
    x = x.axis(format=".4~r", values=fine if scale.high / scale.low < MUCH else scale.ticks())
    y = alt.Y("row:O").title(None).axis(None).scale(paddingInner=0, paddingOuter=0)
    chart = alt.layer(*_band(diff.margin, x), *_points(rows, x, y), *_words(rows, y)).properties(
        width="container",
        height=ROW * len(rows),
        title=alt.TitleParams(text=lines(title), subtitle=lines(subtitle)),
    )
    spec: dict[str, Any] = chart.to_dict()
    return spec


def _scale(diff: Diff, cases: list[CaseDiff]) -> Scale:
    """A logarithmic scale, on which half and double are equally far from 1.

    It has all points and the band, and of the intervals only the parts near to them.
    """
    points = [*(case.ratio for case in cases), 1 + diff.margin, 1 / (1 + diff.margin)]
    low, high = min(points), max(points)
    ends = [end for case in cases for end in case.ci95 or ()]
    inside = [min(max(end, low / FARTHEST), high * FARTHEST) for end in ends]
    low, high = min(low, *inside, low), max(high, *inside, high)
    room = math.pow(high / low, 0.06)
    return Scale(low / room, high * room, log=True)


def _row(number: int, case: CaseDiff) -> Row:
    low, high = case.ci95 or (None, None)
    return {
        "row": number,
        "name": shortened(case.case, NAME),
        "case": shortened(case.case, 100),
        "text": f"{LOOKS[_result(case)].word} {case.ratio:.{2 if case.ratio >= 0.1 else 4}f}",
        "ratio": case.ratio,
        "low": low,
        "high": high,
        "old": case.old,
        "new": case.new,
        "values": f"{case.old_values} + {case.new_values}",
        "result": _result(case),
    }


def _band(margin: float, x: "alt.X") -> "list[alt.Chart]":
    """The band within which a case counts as the same, and a line at 1."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    ends = [{"ratio": 1 / (1 + margin), "to": 1 + margin}]
    band = alt.Chart(alt.Data(values=ends)).mark_rect(color=palette.GREY, opacity=0.18)
    line = alt.Chart(alt.Data(values=[{"ratio": 1}])).mark_rule(color=palette.TEXT)
    return [band.encode(x=x, x2="to"), line.encode(x=x)]


def _points(rows: list[Row], x: "alt.X", y: "alt.Y") -> "list[alt.Chart]":
    """Intervals and points, in the colour and the shape of their result."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    present = {row["result"] for row in rows}
    results = [result for result in LOOKS if result in present]
    colours = [LOOKS[result].colour for result in results]
    shapes = [LOOKS[result].shape for result in results]
    colour = alt.Color("result:N").title("result").scale(domain=results, range=colours)
    shape = alt.Shape("result:N").title("result").scale(domain=results, range=shapes)
    layers = []
    if judged := [row for row in rows if row["low"] is not None]:
        interval = alt.Chart(alt.Data(values=judged)).mark_rule(
            strokeWidth=2, yOffset=BELOW, y2Offset=BELOW, clip=True
        )
        layers.append(interval.encode(x=alt.X("low:Q"), x2="high", y=y, color=colour))
    points = alt.Chart(alt.Data(values=rows)).mark_point(
        filled=True, size=110, opacity=1, yOffset=BELOW
    )
    layers.append(points.encode(x=x, y=y, color=colour, shape=shape, tooltip=_tooltip()))
    return layers


def _words(rows: list[Row], y: "alt.Y") -> "list[alt.Chart]":
    """The name of each case above its point, at the left, and its result at the right."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    texts = alt.Chart(alt.Data(values=rows)).encode(y=y)
    between = texts.mark_rule(yOffset=-ROW / 2, color=palette.GREY, opacity=0.4)
    name = texts.mark_text(align="left", dy=-ABOVE).encode(x=alt.XValue(2), text="name:N")
    result = texts.mark_text(align="right", dy=-ABOVE, fontWeight="bold")
    return [between, name, result.encode(x=alt.XValue("width"), text="text:N")]


def _tooltip() -> "list[alt.Tooltip]":
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    return [
        alt.Tooltip("case:N", title="case"),
        alt.Tooltip("result:N", title="result"),
        alt.Tooltip("ratio:Q", title="NEW / OLD", format=".4~g"),
        alt.Tooltip("low:Q", title="95 % from", format=".4~g"),
        alt.Tooltip("high:Q", title="to", format=".4~g"),
        alt.Tooltip("old:Q", title="OLD", format=",.4~g"),
        alt.Tooltip("new:Q", title="NEW", format=",.4~g"),
        alt.Tooltip("values:N", title="values, OLD + NEW"),
    ]
