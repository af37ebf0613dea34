"""Layers of a timeline's chart: chunks or bands of utilisation, marks, and idle times."""

from typing import TYPE_CHECKING, Any

from poolrace.producer.analysis.timeline import Bar, Timeline
from poolrace.producer.reports.charts import palette
from poolrace.producer.reports.charts.timeline_data import (
    BAND_COLUMNS,
    CHUNK_COLUMNS,
    band_rows,
    bar_rows,
    gone_rows,
    held_up_s,
    idle_rows,
    mark_rows,
    row_labels,
)

if TYPE_CHECKING:
    import altair as alt

CPU, WAITED, HELD_UP = (
    "CPU",
    "waits of the task (thin)",
    "held up: core, GIL or loop busy (thinnest)",
)
NOT_MEASURED = "runs; CPU time not stored"
"""Parts of the time of a chunk, as the legend names them."""

PARTS = {
    CPU: palette.BLUE,
    WAITED: palette.ORANGE,
    HELD_UP: palette.PURPLE,
    NOT_MEASURED: palette.SKY,
}
"""Part -> its colour."""

MARKS = {
    "joined": ("joined", "triangle-up", palette.GREEN),
    "silent": ("fell silent", "cross", palette.RED),
    "left": ("left", "triangle-down", palette.PURPLE),
    "reconnected": ("reconnected", "circle", palette.SKY),
    "resent": ("sent again", "diamond", palette.ORANGE),
    "retried": ("retried", "square", palette.PURPLE),
    "duplicate": ("duplicate", "triangle-left", palette.GREY),
    "backup": ("backup copy", "triangle-right", palette.GREEN),
    "event": ("other event", "arrow", palette.TEXT),
}
"""Kind of a mark -> its name in the legend, its shape, its colour."""

SHORTEST_SHARE = 0.02
"""Share of a chunk's duration below which a part of it is not drawn: starting and ending take
microseconds, and their slivers would cover short chunks."""


class Layers:
    """The layers of one timeline, on shared axes."""

    def __init__(self, timeline: Timeline, last_s: float, row_height: int) -> None:
        import altair as alt  # noqa: PLC0415 # optional: the extra charts

        self._timeline = timeline
        self._last_s = last_s
        self._height = row_height
        events, *self._names = row_labels(timeline)
        self._marks = mark_rows(timeline, self._names)
        has_events = any(mark["label"] == events for mark in self._marks)
        self.labels = [*([events] if has_events else []), *self._names]
        y = alt.Y("label:N").title(None).sort(None)
        y = y.scale(domain=self.labels, padding=0)
        self._y = y.axis(labelLimit=130, grid=False, ticks=False, domain=False)

    def all(self) -> list[Any]:
        """All layers, the lowest one first; layers of one group share their colours."""
        import altair as alt  # noqa: PLC0415 # optional: the extra charts

        drawn = self._bands() if self._timeline.bands else self._chunks()
        zoom = alt.selection_interval(name="zoom", bind="scales", encodings=["x"])
        layers: list[Any] = [*self._gone(), drawn.add_params(zoom)]
        if self._marks:
            layers.append(self._marked())
        if idle := idle_rows(self._timeline, self._names):
            # A selection that zooms cuts off all marks outside of the plot, unless they say no.
            text = alt.Chart(alt.Data(values=idle)).mark_text(align="left", dx=6, clip=False)
            layers.append(text.encode(x=alt.XValue("width"), y=self._y, text="idle:N"))
        return layers

    def _x(self, field: str) -> "alt.X":
        import altair as alt  # noqa: PLC0415 # optional: the extra charts

        scale = alt.Scale(domain=[0, self._last_s], nice=False, zero=True)
        x = alt.X(f"{field}:Q").scale(scale).title("time (s, by the producer's clock)")
        return x.axis(tickCount=6)

    def _gone(self) -> "list[alt.Chart]":
        """Grey stretches of rows, in which a host was silent or had left."""
        import altair as alt  # noqa: PLC0415 # optional: the extra charts

        rows = gone_rows(self._timeline, self._names, self._last_s)
        if not rows:
            return []
        bars = alt.Chart(alt.Data(values=rows)).mark_bar(
            height=self._height, color=palette.GREY, opacity=0.3, clip=True
        )
        return [bars.encode(x=self._x("from_s"), x2="to_s", y=self._y)]

    def _chunks(self) -> "alt.LayerChart | alt.FacetChart":
        """Chunks: the parts of their time in three heights, above the time from dispatch to start.

        The lines of chunks that were sent at the same time lie above each other, so that a row is
        the darker the more chunks its slot holds.
        """
        import altair as alt  # noqa: PLC0415 # optional: the extra charts

        data = alt.Data(values=bar_rows(self._timeline, self._names))
        layers = [self._sent(), *(self._part(*part) for part in self._parts())]
        layered = alt.layer(*layers, data=data).transform_flatten([*CHUNK_COLUMNS])
        return layered.transform_calculate(
            range="'[' + format(datum.start, ',') + ', ' + format(datum.stop, ',') + ')'",
            duration="datum.ended - datum.began",
            computed="min(datum.ended, datum.began + datum.cpu)",
            waited_until="min(datum.ended, datum.began + datum.cpu + datum.waited)",
            held_up="isValid(datum.cpu) ? datum.ended - datum.waited_until : null",
        )

    def _parts(self) -> list[tuple[str, str, str, float]]:
        """Name, first and last field, and height of the parts that chunks of this run have."""
        bars = self._timeline.bars
        measured = [bar for bar in bars if bar.cpu_s is not None]
        parts = [(CPU, "began", "computed", 0.7)] if measured else []
        if any(bar.waited_s for bar in measured):
            parts.append((WAITED, "computed", "waited_until", 0.4))
        if any(_is_drawn(held_up_s(bar), bar) for bar in measured):
            parts.append((HELD_UP, "waited_until", "ended", 0.16))
        if len(measured) < len(bars):
            parts.append((NOT_MEASURED, "began", "ended", 0.7))
        return parts

    def _part(self, name: str, first: str, last: str, height: float) -> "alt.Chart":
        import altair as alt  # noqa: PLC0415 # optional: the extra charts

        names = [part for part, *_ in self._parts()]
        colour = (
            alt.Color("part:N")
            .title("shares of a chunk's time, in no order")
            .legend(columns=1, symbolType="square")
        )
        colour = colour.scale(domain=names, range=[PARTS[part] for part in names])
        shortest = f"{SHORTEST_SHARE} * datum.duration"
        has_part = f"isValid(datum.cpu) && datum.{last} - datum.{first} > {shortest}"
        if first == "began":
            has_part = f"{'!' if name == NOT_MEASURED else ''}isValid(datum.cpu)"
        bars = alt.Chart().mark_bar(
            height=round(height * self._height, 1),
            yOffset=-round(0.07 * self._height, 1),
            stroke=palette.BACKGROUND,
            strokeWidth=0.4,
            clip=True,
        )
        bars = bars.transform_filter(has_part).transform_calculate(part=f"'{name}'")
        x = self._x(first)
        part: alt.Chart = bars.encode(
            x=x, x2=last, y=self._y, color=colour, tooltip=_chunk_tooltip()
        )
        return part

    def _sent(self) -> "alt.Chart":
        import altair as alt  # noqa: PLC0415 # optional: the extra charts

        rules = alt.Chart().mark_rule(
            color=palette.TEXT,
            opacity=0.2,
            strokeWidth=max(2.0, 0.12 * self._height),
            yOffset=round(0.38 * self._height, 1),
            clip=True,
        )
        rules = rules.transform_filter("isValid(datum.sent) && datum.sent < datum.began")
        lines: alt.Chart = rules.encode(
            x=self._x("sent"), x2="began", y=self._y, tooltip=_chunk_tooltip()
        )
        return lines

    def _bands(self) -> "alt.LayerChart | alt.FacetChart":
        """Bands: the busier the slots of a row, the thicker and the more opaque its band."""
        import altair as alt  # noqa: PLC0415 # optional: the extra charts

        data = alt.Data(values=band_rows(self._timeline, self._names))
        utilisation = alt.Scale(domain=[0, 1], range=[0, round(0.9 * self._height, 1)])
        opacity = alt.Opacity("utilisation:Q").title("busy slots").legend(format="%")
        bands = alt.Chart().mark_bar(color=palette.BLUE, clip=True)
        bands = bands.encode(
            x=self._x("from_s"),
            x2="to_s",
            y=self._y,
            size=alt.Size("utilisation:Q").scale(utilisation).legend(None),
            opacity=opacity.scale(domain=[0, 1], range=[0.25, 1]),
            tooltip=[
                alt.Tooltip("host:N", title="host"),
                alt.Tooltip("slot:N", title="slot"),
                alt.Tooltip("from_s:Q", title="from (s)", format=".4~g"),
                alt.Tooltip("to_s:Q", title="to (s)", format=".4~g"),
                alt.Tooltip("utilisation:Q", title="busy slots", format=".0%"),
            ],
        )
        return alt.layer(bands, data=data).transform_flatten([*BAND_COLUMNS])

    def _marked(self) -> "alt.Chart":
        """Marks of events and of chunks."""
        import altair as alt  # noqa: PLC0415 # optional: the extra charts

        present = [MARKS[kind] for kind in MARKS if any(kind == m["kind"] for m in self._marks)]
        names, shapes, colours = map(list, zip(*present, strict=True))
        rows = [{**mark, "name": MARKS[mark["kind"]][0]} for mark in self._marks]
        points = alt.Chart(alt.Data(values=rows)).mark_point(
            filled=True, size=90, opacity=1, stroke=palette.TEXT, strokeWidth=1, clip=True
        )
        marks: alt.Chart = points.encode(
            x=self._x("at_s"),
            y=self._y,
            shape=alt.Shape("name:N").title("marks").scale(domain=names, range=shapes),
            color=alt.Color("name:N").title("marks").scale(domain=names, range=colours),
            tooltip=[
                alt.Tooltip("text:N", title="event"),
                alt.Tooltip("host:N", title="host"),
                alt.Tooltip("at_s:Q", title="at (s)", format=".4~g"),
            ],
        )
        return marks


def _is_drawn(part_s: float, bar: Bar) -> bool:
    return part_s > SHORTEST_SHARE * (bar.ended_s - bar.began_s)


def _chunk_tooltip() -> "list[alt.Tooltip]":
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    texts = {"range": "range", "host": "host", "slot": "slot"}
    numbers = {
        "duration": "duration (s)",
        "cpu": "CPU (s)",
        "waited": "waiting (s)",
        "held_up": "held up (s)",
        "sent": "sent at (s)",
        "began": "started at (s)",
    }
    return [
        *(alt.Tooltip(f"{field}:N", title=title) for field, title in texts.items()),
        *(
            alt.Tooltip(f"{field}:Q", title=title, format=".4~g")
            for field, title in numbers.items()
        ),
        alt.Tooltip("mark:N", title="mark"),
    ]
