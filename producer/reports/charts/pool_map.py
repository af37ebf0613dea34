"""Chart of a pool map: a cell per waiting share and concurrency, with its winner in words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from poolrace.producer.analysis.pool_map_winners import MapCell, Outcome
from poolrace.producer.reports.charts import palette
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.pools import POOL_COLOURS, pool_colour
from poolrace.producer.reports.charts.style import MEDIUM
from poolrace.producer.reports.charts.words import lines, shortened

if TYPE_CHECKING:
    import altair as alt

ROW = 66
"""Pixels of the height of a cell: four lines of text."""

LINE = 14
"""Pixels from one line of text to the next one."""

MANY = 6
"""Number of columns up to which a cell is at least 49 pixels wide on a phone, and has room for the
name of a pool; in narrower cells pools have three letters."""

NAME = 7
"""Number of characters of a pool's name in a cell."""

TITLE = "Fastest pool by waiting share and slots"

STYLES: dict[Outcome, tuple[float, list[int]]] = {
    "faster": (0.45, [1, 0]),
    "same": (0.15, [7, 3]),
    "not distinguishable": (0.1, [2, 3]),
    "predicted": (0.0, [7, 3]),
    "not measured": (0.0, [2, 3]),
}
"""Outcome of a cell -> opacity of its colour, and pixels of dash and gap of its border. Text on a
colour this pale keeps a contrast of 7:1 and more."""

EXPLAINED: dict[Outcome, str] = {
    "faster": "1.5 x: throughput of the fastest pool over that of the second one",
    "same": "tied: as fast as the winner, which takes the least memory",
    "not distinguishable": "unclear: not distinguishable",
    "predicted": "model: predicted without laps",
}
"""Outcome of a cell -> what its words mean."""

NO_WINNER = "no winner"
"""Name of cells without a winner in the legend."""

Row = dict[str, Any]


def map_charts(rows: Sequence[Sequence[MapCell]]) -> tuple[Chart, ...]:
    """The map; none if no row was measured to its end."""
    cells = [cell for row in rows for cell in row]
    if not cells:
        return ()
    winners = [cell.winner.pool for cell in cells if cell.winner]
    wins = ", ".join(f"{pool} {winners.count(pool)}" for pool in sorted(set(winners)))
    return (
        Chart(
            name="map",
            title=TITLE,
            description=(
                f"The fastest pool of each of {len(cells)} cells, waiting share by number of slots."
                f" Cells won: {wins or 'none'}."
            ),
            spec=_spec(rows),
            height_hint=ROW * len(rows) + 230,
        ),
    )


def _spec(rows: Sequence[Sequence[MapCell]]) -> dict[str, Any]:
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    narrow = len(rows[0]) > MANY
    records = [_record(cell, narrow=narrow) for row in rows for cell in row]
    present = {record["outcome"] for record in records}
    subtitle = "; ".join(text for outcome, text in EXPLAINED.items() if outcome in present)
    base = alt.Chart().encode(
        x=alt.X("share:O")
        .title("share of its time that the task waits (%)")
        .scale(paddingInner=0.06, paddingOuter=0.03)
        .axis(orient="top", labelAngle=0, domain=False, ticks=False),
        y=alt.Y("slots:O")
        .title("slots")
        .scale(paddingInner=0.08, paddingOuter=0.04)
        .axis(domain=False, ticks=False),
        tooltip=_tooltip(),
    )
    chart = alt.layer(*_cells(base, records), *_words(base, records)).properties(
        width="container",
        height=ROW * len(rows),
        title=alt.TitleParams(text=lines(TITLE), subtitle=lines(subtitle)),
    )
    spec: dict[str, Any] = chart.to_dict()
    return spec


def _cells(base: "alt.Chart", records: list[Row]) -> "list[alt.Chart]":
    """Cells in the colours of their winners, with a fill and a border that say the outcome."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    present = {record["pool"] for record in records}
    names = [name for name in (*POOL_COLOURS, NO_WINNER) if name in present]
    names += sorted(present - set(names))
    colours = [palette.GREY if name == NO_WINNER else pool_colour(name) for name in names]
    fill = alt.Fill("pool:N").scale(domain=names, range=colours)
    stroke = alt.Stroke("pool:N").scale(domain=names, range=colours)
    legend = alt.Legend(title="winner", columns=4)
    coloured = base.encode(fill=fill.legend(legend), stroke=stroke.legend(legend))
    layers = []
    for outcome, (opacity, dash) in STYLES.items():
        if rows := [record for record in records if record["outcome"] == outcome]:
            cells = coloured.properties(data=alt.Data(values=rows))
            layers.append(
                cells.mark_rect(strokeWidth=2, cornerRadius=3, fillOpacity=opacity, strokeDash=dash)
            )
    return layers


def _words(base: "alt.Chart", records: list[Row]) -> "list[alt.Chart]":
    """Texts in the middle of the cells, a pair of layers per number of lines."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    # Bold names are wider than cells on a phone.
    weight = alt.ExprRef("width > 450 ? 'bold' : 'normal'")
    layers = []
    for number in sorted({len(record["rest"]) for record in records}):
        rows = [record for record in records if len(record["rest"]) == number]
        texts = base.properties(data=alt.Data(values=rows))
        top = -LINE * (number + 1) / 2
        head = texts.mark_text(baseline="top", dy=top, fontSize=MEDIUM, fontWeight=weight)
        rest = texts.mark_text(baseline="top", dy=top + LINE + 1, lineHeight=LINE)
        layers += [head.encode(text="head:N"), rest.encode(text="rest:N")]
    return layers


def _record(cell: MapCell, *, narrow: bool) -> Row:
    head, *rest = _narrow_texts(cell) if narrow else _texts(cell)
    return {
        "share": round(100 * cell.share, 6),
        "slots": cell.concurrency,
        "pool": _name(cell.winner.pool) if cell.winner else NO_WINNER,
        "outcome": cell.outcome,
        "head": head,
        "rest": rest,
        "laps": cell.laps,
        "speeds": ", ".join(f"{_name(each.pool)} {each.items_per_s:.4g}" for each in cell.pools),
        "memory": ", ".join(
            f"{_name(each.pool)} {each.peak_memory_bytes / 2**20:.0f}" for each in cell.pools
        ),
    }


def _name(pool: str) -> str:
    return shortened(pool, 30)


def _texts(cell: MapCell) -> list[str]:
    """Lines of text of a cell: the winner, how much faster it is, and the pools that tie."""
    if cell.winner:
        others = [each.pool for each in cell.tied if each != cell.winner]
        tied = ["ties", shortened(others[0], NAME)] if others else []
        if len(others) > 1:
            tied = ["ties", f"{len(others)} pools"]
        if len(cell.tied) == len(cell.pools) > 1:
            tied = ["all tied"]
        return [shortened(cell.winner.pool, NAME), _ratio(cell), *tied]
    if cell.outcome == "not distinguishable":
        possible = [f"{shortened(each.pool, NAME)}?" for each in cell.tied]
        return ["unclear", _ratio(cell), *(possible if len(possible) < len(cell.pools) else [])][:4]
    if cell.outcome == "predicted":
        return [*(shortened(pool, NAME) for pool in sorted(cell.expected)), "model"]
    return ["-", "no laps"]


def _narrow_texts(cell: MapCell) -> list[str]:
    """The same with pools of three letters."""
    if cell.winner:
        tied = ["tied"] if len(cell.tied) > 1 else []
        return [cell.winner.pool[:3], _ratio(cell, digits=1).replace(" ", ""), *tied]
    if cell.outcome == "predicted":
        return [*(pool[:3] for pool in sorted(cell.expected)), "model"]
    return ["?", _ratio(cell, digits=1).replace(" ", "")] if cell.pools else ["-", "none"]


def _ratio(cell: MapCell, digits: int = 2) -> str:
    """Throughput of the fastest pool over that of the second one, if there are two."""
    if len(cell.pools) < 2 or not cell.pools[1].items_per_s:
        return "alone"
    ratio = cell.pools[0].items_per_s / cell.pools[1].items_per_s
    return f"{ratio:.{digits}f} x" if ratio < 10 else f"{min(ratio, 9999):.0f} x"


def _tooltip() -> "list[alt.Tooltip]":
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    return [
        alt.Tooltip("share:Q", title="waiting share (%)"),
        alt.Tooltip("slots:Q", title="slots"),
        alt.Tooltip("outcome:N", title="outcome"),
        alt.Tooltip("pool:N", title="winner"),
        alt.Tooltip("speeds:N", title="items/s, medians"),
        alt.Tooltip("memory:N", title="peak memory (MiB)"),
        alt.Tooltip("laps:Q", title="laps of each pool"),
    ]
