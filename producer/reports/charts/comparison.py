"""Chart of compared models: median time, fastest to slowest run, and each run, a row per case."""

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from poolrace.producer.analysis.comparison_summary import BASE_MODEL, CaseSummary, runs_by_case
from poolrace.producer.reports.charts import palette
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.words import labels, lines, seconds, shortened
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.run import Run

if TYPE_CHECKING:
    import altair as alt

ROW = 30
"""Pixels of a row."""

LOGARITHMIC_FROM = 40
"""Ratio of the slowest to the fastest case from which the axis is logarithmic: on a linear axis of
400 pixels the bar of the fastest case would be shorter than 10 pixels."""

KINDS = {
    "local": ("local", palette.BLUE, "circle"),
    "celery": ("Celery", palette.ORANGE, "diamond"),
}
"""Kind of a model, the part of its name before the colon -> its name, its colour, its shape."""

OTHER = ("other", palette.GREY, "square")
"""Name, colour and shape of models of another kind."""

Record = dict[str, Any]


def comparison_chart(comparison: Comparison, cases: list[CaseSummary]) -> Chart:
    """One row per case, in the order of the table."""
    medians, runs = _records(comparison, cases)
    title = f"Time of {shortened(comparison.workload, 30)} by model"
    fastest = min(cases, key=lambda case: case.elapsed_s)
    return Chart(
        name="times",
        title=title,
        description=(
            f"Median time of {len(cases)} case(s), from the fastest to the slowest run, with a"
            f" point per run. Fastest: {shortened(fastest.model, 60)},"
            f" {seconds(fastest.elapsed_s)}. Less is better."
        ),
        spec=_spec(medians, runs, title),
        height_hint=ROW * len(cases) + 170,
    )


def _records(comparison: Comparison, cases: list[CaseSummary]) -> tuple[list[Record], list[Record]]:
    """Records of the cases and of their runs."""
    number_of_cases = Counter(case.model for case in cases)
    names = [
        f"{case.model} {case.slots}" if number_of_cases[case.model] > 1 else case.model
        for case in cases
    ]
    medians, points = [], []
    measured = runs_by_case(comparison).values()
    for label, case, runs in zip(labels(names), cases, measured, strict=True):
        shared = {
            "label": label,
            "kind": KINDS.get(case.model.partition(":")[0], OTHER)[0],
            "model": shortened(case.model, 80),
            "slots": case.slots,
        }
        medians.append({**shared, **_figures(case, runs)})
        points += [
            {
                **shared,
                "run": number,
                "below": number - (len(runs) + 1) / 2,
                "time_s": run.elapsed_s,
                "exact": _yes(exact=run.exact),
            }
            for number, run in enumerate(runs, 1)
        ]
    return medians, points


def _figures(case: CaseSummary, runs: list[Run]) -> Record:
    wrong = "" if case.exact else " NOT EXACT"
    times = f"{case.speed_up:.2f}x" if case.speed_up < 10 else f"{case.speed_up:,.0f}x"
    return {
        "median_s": case.elapsed_s,
        "fastest_s": min(run.elapsed_s for run in runs),
        "slowest_s": max(run.elapsed_s for run in runs),
        "runs": len(runs),
        "speed_up": case.speed_up,
        "efficiency": case.efficiency,
        "cpu_s": case.cpu_s,
        "exact": _yes(exact=case.exact),
        "text": f"{seconds(case.elapsed_s)} · {times}{wrong}",
    }


def _yes(*, exact: bool) -> str:
    return "yes" if exact else "NO"


def _spec(medians: list[Record], points: list[Record], title: str) -> Record:
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    times_s = [row["median_s"] for row in medians]
    is_log = max(times_s) > LOGARITHMIC_FROM * min(times_s)
    base = next((row for row in medians if row["model"] == BASE_MODEL), medians[0])
    subtitle = (
        f"less is better; {'large point' if is_log else 'bar'}: median; line: fastest to slowest"
        f" run; small points: runs, first on top; x: times as fast as {base['label']}"
    )
    chart = alt.layer(*_layers(medians, points, is_log=is_log)).properties(
        width="container",
        height=ROW * len(medians),
        title=alt.TitleParams(text=lines(title), subtitle=lines(subtitle)),
    )
    spec: Record = chart.to_dict()
    return spec


def _layers(medians: list[Record], points: list[Record], *, is_log: bool) -> "list[alt.Chart]":
    """Layers of medians, of lines from the fastest to the slowest run, of runs, and of texts."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    y = alt.Y("label:N").title(None).sort(None)
    y = y.scale(domain=[row["label"] for row in medians], paddingInner=0.3, paddingOuter=0.15)
    y = y.axis(labelLimit=130, grid=False, ticks=False, domain=False)
    cases = alt.Chart(alt.Data(values=medians)).encode(y=y, tooltip=_case_tooltip())
    runs = alt.Chart(alt.Data(values=points)).encode(y=y, tooltip=_run_tooltip())
    colour, shape = _kind_encodings({row["kind"] for row in medians})
    times_s = [row["time_s"] for row in points] if is_log else []
    large = cases.encode(x=_x("median_s", times_s), color=colour)
    interval = cases.transform_filter("datum.slowest_s > datum.fastest_s").encode(
        x=_x("fastest_s", times_s), x2="slowest_s:Q"
    )
    single = runs.mark_point(
        size=34, opacity=1, fill=palette.BACKGROUND, stroke=palette.TEXT, strokeWidth=1.2
    )
    whiskers = [
        # The line has an edge, because it lies on bars of any colour.
        interval.mark_rule(color=palette.BACKGROUND, strokeWidth=4),
        interval.mark_rule(color=palette.TEXT, strokeWidth=1.5),
    ]
    point = large.mark_point(filled=True, size=200, opacity=1).encode(shape=shape)
    return [
        *([*whiskers, point] if is_log else [large.mark_bar(cornerRadiusEnd=2), *whiskers]),
        single.encode(x=_x("time_s", times_s), shape=shape, yOffset=_offset(points)),
        cases.mark_text(align="left", dx=8).encode(x=alt.XValue("width"), text="text:N"),
    ]


def _x(field: str, times_s: list[float]) -> "alt.X":
    """The axis of times: logarithmic over ``times_s``, or linear from 0 if they are empty."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    x = alt.X(f"{field}:Q")
    if not times_s:
        x = x.title("time (s); less is better").scale(zero=True)
        return x.axis(tickCount=6, format="~g")
    low, high = min(times_s) / 1.5, max(times_s) * 1.5
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    x = x.title("time (s, logarithmic); less is better")
    x = x.scale(alt.Scale(type="log", domain=[low, high], nice=False))
    return x.axis(values=[tick for tick in ticks if low <= tick <= high], format="~g")


def _offset(points: list[Record]) -> "alt.YOffset":
    """Place of a run in its row: the first run is drawn above the last one."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    last = max(row["run"] for row in points)
    return alt.YOffset("below:Q").scale(domain=[-last, last])


def _kind_encodings(present: set[str]) -> "tuple[alt.Color, alt.Shape]":
    """Colour and shape by kind, with one legend."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    kinds = [kind for kind in (*KINDS.values(), OTHER) if kind[0] in present]
    names, colours, shapes = map(list, zip(*kinds, strict=True))
    colour = alt.Color("kind:N").title("kind of model").scale(domain=names, range=colours)
    shape = alt.Shape("kind:N").title("kind of model").scale(domain=names, range=shapes)
    return colour, shape


def _case_tooltip() -> "list[alt.Tooltip]":
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    return [
        alt.Tooltip("model:N", title="model"),
        alt.Tooltip("slots:Q", title="slots"),
        alt.Tooltip("runs:Q", title="runs"),
        alt.Tooltip("median_s:Q", title="median (s)", format=".4~g"),
        alt.Tooltip("fastest_s:Q", title="fastest (s)", format=".4~g"),
        alt.Tooltip("slowest_s:Q", title="slowest (s)", format=".4~g"),
        alt.Tooltip("speed_up:Q", title="speed-up", format=".2f"),
        alt.Tooltip("efficiency:Q", title="efficiency", format=".0%"),
        alt.Tooltip("cpu_s:Q", title="CPU (s)", format=".4~g"),
        alt.Tooltip("exact:N", title="exact"),
    ]


def _run_tooltip() -> "list[alt.Tooltip]":
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    return [
        alt.Tooltip("model:N", title="model"),
        alt.Tooltip("run:Q", title="run"),
        alt.Tooltip("time_s:Q", title="time (s)", format=".4~g"),
        alt.Tooltip("exact:N", title="exact"),
    ]
