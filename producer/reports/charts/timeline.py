"""Charts of runs over time: one row per slot, one bar per chunk, marks for faults."""

import json
from collections import Counter
from math import fsum
from typing import Any

from poolrace.producer.analysis.comparison_summary import runs_by_case
from poolrace.producer.analysis.timeline import Timeline, timeline_of
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.timeline_data import held_up_s
from poolrace.producer.reports.charts.timeline_layers import Layers
from poolrace.producer.reports.charts.words import counted, lines, seconds, sentences, shortened
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.run import Run

ROW_HEIGHTS = ((4, 48), (16, 26))
"""Number of rows, and pixels of a row up to this number of rows."""

LOW_ROW = 15
"""Pixels of a row of more rows: labels of 11 pixels do not touch each other."""

MAX_BYTES = 700_000
"""Bytes of the specifications of all timelines of one report: with 0.9 MB of scripts the HTML
report stays below 2 MB."""


def timeline_chart(run: Run, name: str = "timeline", last_s: float | None = None) -> Chart | None:
    """Timeline of one run, with a time axis that ends at ``last_s`` or the end of the run.

    ``None`` if the run's file holds neither chunks nor utilisation.
    """
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    timeline = timeline_of(run)
    if not timeline.rows or not (timeline.bars or timeline.bands):
        return None
    row_height = _row_height(len(timeline.rows))
    layers = Layers(timeline, last_s or timeline.elapsed_s, row_height)
    height = row_height * len(layers.labels)
    title = _title(run)
    chart = alt.layer(*layers.all()).properties(
        width="container",
        height=height,
        title=alt.TitleParams(text=lines(title), subtitle=_subtitle(run, timeline)),
    )
    chart = chart.resolve_scale(color="independent", shape="independent", opacity="independent")
    spec: dict[str, Any] = chart.to_dict()
    # Altair refuses the layout of legends, which Vega-Lite hands on to Vega: one below the other.
    spec.setdefault("config", {}).setdefault("legend", {})["layout"] = {
        "bottom": {"anchor": "start", "direction": "vertical"}
    }
    return Chart(name, title, _description(run, timeline), spec, height + 170)


def timeline_charts(comparison: Comparison) -> tuple[Chart, ...]:
    """Timelines of the median run of each case, all on the same time axis.

    Cases are left out after the first ones once the specifications take ``MAX_BYTES``; a sentence
    below the title of the last timeline counts them.
    """
    median_runs = [
        sorted(runs, key=lambda run: run.elapsed_s)[(len(runs) - 1) // 2]
        for runs in runs_by_case(comparison).values()
    ]
    last_s = max((run.elapsed_s for run in median_runs), default=0.0)
    charts: list[Chart] = []
    size_bytes = 0
    for number, run in enumerate(median_runs, 1):
        chart = timeline_chart(run, f"timeline-{number}", last_s)
        if chart is None:
            continue
        size_bytes += len(json.dumps(chart.spec, separators=(",", ":")))
        if charts and size_bytes > MAX_BYTES:
            left = len(median_runs) - number + 1
            cases = counted(left, "further case")
            text = f"No timeline of {cases}: the report would be too large."
            charts[-1].spec["title"]["subtitle"].extend(sentences([text]))
            break
        charts.append(chart)
    return tuple(charts)


def _row_height(rows: int) -> int:
    return next((height for most, height in ROW_HEIGHTS if rows <= most), LOW_ROW)


def _title(run: Run) -> str:
    hosts = f" on {counted(run.hosts, 'host')}" if run.hosts > 1 else ""
    return f"Timeline: {shortened(run.model, 40)}, {counted(run.slots, 'slot')}{hosts}"


def _description(run: Run, timeline: Timeline) -> str:
    marks: Counter[str] = Counter(mark.kind or "event" for mark in timeline.marks)
    marks.update(bar.mark for bar in timeline.bars if bar.mark)
    counted = ", ".join(f"{number} {kind}" for kind, number in sorted(marks.items()))
    drawn = "the utilisation over time" if timeline.bands else "a bar per chunk"
    return (
        f"Timeline of a run of {run.model}: {run.chunks:,} chunks in {seconds(run.elapsed_s)},"
        f" {len(timeline.rows)} row(s) with {drawn}; marks: {counted or 'none'}."
    )


def _subtitle(run: Run, timeline: Timeline) -> list[str]:
    """Lines below the title."""
    workload = shortened(run.workload, 20)
    texts = [f"{counted(run.chunks, 'chunk')} of {workload} in {seconds(run.elapsed_s)}."]
    if timeline.bands:
        bin_s = max(band.to_s - band.from_s for band in timeline.bands)
        texts.append(f"Thickness: share of busy slots, per {bin_s:.3g} s.")
    else:
        texts += [*_parts(timeline), "Grey line below a bar: sent, not started yet."]
    if not timeline.whole and not timeline.bands:
        texts.append(
            f"The file holds records of {counted(len(timeline.bars), 'chunk')} only:"
            f" {run.chunks - len(timeline.bars):,} are not drawn."
        )
    if (unused := run.slots - sum(map(len, run.shares.values()))) > 0:
        texts.append(f"{counted(unused, 'slot')} ran no chunk.")
    if any(mark.kind in ("silent", "left") for mark in timeline.marks):
        texts.append("Grey row: its host is silent or gone.")
    return sentences(texts)


def _parts(timeline: Timeline) -> list[str]:
    """The sentence about the parts of the chunks' time, if these are stored for the whole run."""
    if not timeline.whole or any(bar.cpu_s is None for bar in timeline.bars):
        return []
    ran_s = fsum(bar.ended_s - bar.began_s for bar in timeline.bars)
    cpu_s = fsum(bar.cpu_s or 0.0 for bar in timeline.bars)
    if not ran_s:
        return []
    held = f"{fsum(map(held_up_s, timeline.bars)) / ran_s:.0%}"
    held_up = "" if held == "0%" else f"; held up for {held} of their time"
    return [f"Chunks used {cpu_s / timeline.elapsed_s:.2f} CPU cores{held_up}."]
