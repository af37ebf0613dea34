"""Charts of claims: cost of creation and of a switch, memory, and messages, by kind of unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from poolrace.producer.analysis.claim_words import label, value_text
from poolrace.producer.reports.charts import palette
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.scales import Scale
from poolrace.producer.reports.charts.words import counted, lines, shortened
from poolrace.producer.results.claims import Claim, Claims

if TYPE_CHECKING:
    import altair as alt

ROW = 34
"""Pixels of a row: a line of text above the points of a figure."""

ABOVE, BELOW = 8, 8
"""Pixels from the middle of a row up to its text, and down to its points."""

NAME = 40
"""Number of characters of a row's name."""

Row = dict[str, Any]

Selection = dict[str, tuple[str, ...]]
"""Name of a claim -> its figures that are drawn."""

CREATION: Selection = {
    "create-coroutine": ("coroutine_s",),
    "create-greenlet": ("greenlet_s",),
    "create-thread": ("thread_s", "fork_process_s", "spawn_process_s"),
    "create-interpreter": ("interpreter_s",),
}
SWITCH: Selection = {
    "switch-greenlet": ("greenlet_s",),
    "switch-coroutine": ("generator_s", "coroutine_s"),
    "switch-voluntary": ("thread_voluntary_s", "process_voluntary_s"),
    "switch-forced": ("thread_forced_s", "process_forced_s"),
}
MEMORY: Selection = {
    "memory-per-greenlet": ("greenlet_bytes",),
    "memory-per-thread": (
        "coroutine_bytes", "thread_bytes", "fork_process_bytes", "spawn_process_bytes",
    ),
    "memory-per-interpreter": ("interpreter_bytes",),
}  # fmt: skip
MESSAGES: Selection = {
    "message-price": ("local_threads_s", "prefork_s", "threads_s", "gevent_s", "solo_s")
}


@dataclass(frozen=True)
class _Drawing:
    """A chart of figures of several claims: its name, title and axis, and the groups of rows."""

    name: str
    title: str
    axis: str
    groups: dict[str, Selection]


DRAWINGS = (
    _Drawing(
        "costs",
        "Cost of creation and of a switch",
        "seconds, logarithmic; less is better",
        {"creation": CREATION, "switch": SWITCH},
    ),
    _Drawing("memory", "Memory of one unit", "bytes, logarithmic; less is better", {"": MEMORY}),
    _Drawing(
        "messages",
        "Time from sending a chunk to its result",
        "seconds, logarithmic; less is better",
        {"": MESSAGES},
    ),
)
"""The charts; the first one that has figures is in images."""


def claim_charts(tested: Claims) -> tuple[Chart, ...]:
    """The charts for which the results have figures."""
    charts = ((drawing, _rows(drawing, tested)) for drawing in DRAWINGS)
    return tuple(_chart(drawing, rows) for drawing, rows in charts if rows)


def _rows(drawing: _Drawing, tested: Claims) -> list[Row]:
    """One row per figure and interpreter, in the order of the groups, from small to large."""
    several = len({(claim.interpreter, claim.pool) for claim in tested.claims}) > 1
    found = [
        [
            row
            for claim in tested.claims
            for row in _rows_of(claim, group, selection.get(claim.name, ()), several=several)
        ]
        for group, selection in drawing.groups.items()
    ]
    ordered = [row for rows in found for row in sorted(rows, key=lambda row: row["value"])]
    return [{**row, "row": number} for number, row in enumerate(ordered)]


def _rows_of(claim: Claim, group: str, names: Sequence[str], *, several: bool) -> list[Row]:
    """The rows of these figures of a claim, without values of 0, which have no logarithm."""
    where = f" @ {claim.interpreter}{f' in {claim.pool}' if claim.pool else ''}" if several else ""
    rows = []
    for name, values in claim.values().items():
        if name in names and min(values) > 0:
            kind = "" if group in label(name) else f"{group}: "
            rows.append(
                {
                    "name": shortened(f"{kind}{label(name)}{where}", NAME),
                    "group": group or "median",
                    "value": median(values),
                    "low": min(values),
                    "high": max(values),
                    "text": value_text(name, median(values)),
                    "values": list(values),
                }
            )
    return rows


def _chart(drawing: _Drawing, rows: list[Row]) -> Chart:
    told = ", ".join(f"{row['name']} {row['text']}" for row in rows)
    return Chart(
        name=drawing.name,
        title=drawing.title,
        description=f"{drawing.title}, {counted(len(rows), 'row')}: {told}.",
        spec=_spec(drawing, rows),
        height_hint=ROW * len(rows) + 170,
    )


def _spec(drawing: _Drawing, rows: list[Row]) -> Row:
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    low, high = min(row["low"] for row in rows), max(row["high"] for row in rows)
    scale = Scale(low / 1.6, high * 1.6, log=True)
    x = alt.X("value:Q").title(drawing.axis).scale(scale.altair())
    x = x.axis(format="~s", values=scale.ticks())
    y = alt.Y("row:O").title(None).axis(None).scale(paddingInner=0, paddingOuter=0)
    groups = list(dict.fromkeys(row["group"] for row in rows))
    colour = alt.Color("group:N").scale(domain=groups, range=list(palette.MARKS[: len(groups)]))
    colour = colour.title(None) if len(groups) > 1 else colour.legend(None)
    shown = [{key: row[key] for key in row if key != "values"} for row in rows]
    each = [{"row": row["row"], "value": value} for row in rows for value in row["values"]]
    subtitle = "large: median; small: each round; line: smallest to largest"
    chart = alt.layer(*_marks(shown, each, x, y, colour), *_words(shown, y)).properties(
        width="container",
        height=ROW * len(rows),
        title=alt.TitleParams(text=lines(drawing.title), subtitle=lines(subtitle)),
    )
    spec: Row = chart.to_dict()
    return spec


def _marks(
    rows: list[Row], each: list[Row], x: "alt.X", y: "alt.Y", colour: "alt.Color"
) -> "list[alt.Chart]":
    """The range of each figure, the value of each round, and the median."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    medians = alt.Chart(alt.Data(values=rows)).encode(y=y, color=colour)
    rounds = alt.Chart(alt.Data(values=each)).mark_point(
        size=26, opacity=1, yOffset=BELOW, fill=palette.BACKGROUND, stroke=palette.TEXT
    )
    line = medians.mark_rule(strokeWidth=2, yOffset=BELOW, y2Offset=BELOW)
    point = medians.mark_point(filled=True, size=110, opacity=1, yOffset=BELOW)
    facts = [alt.Tooltip("name:N", title="unit"), alt.Tooltip("text:N", title="median")]
    return [
        line.encode(x=alt.X("low:Q"), x2="high"),
        point.encode(x=x, tooltip=facts),
        rounds.encode(x=x, y=y),
    ]


def _words(rows: list[Row], y: "alt.Y") -> "list[alt.Chart]":
    """The name of each row at the left, and its median at the right."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    texts = alt.Chart(alt.Data(values=rows)).encode(y=y)
    between = texts.mark_rule(yOffset=-ROW / 2, color=palette.GREY, opacity=0.4)
    name = texts.mark_text(align="left", dy=-ABOVE).encode(x=alt.XValue(2), text="name:N")
    value = texts.mark_text(align="right", dy=-ABOVE, fontWeight="bold")
    return [between, name, value.encode(x=alt.XValue("width"), text="text:N")]
