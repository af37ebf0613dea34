"""Draws bar charts of the peers: one panel for each of rows 1 to 3, one bar for each peer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure as Image

from benchmarks.figures import peer_figure
from benchmarks.peers import PEERS
from benchmarks.results import Benchmark
from poolrace.producer.analysis.stats import median

POOLRACE_COLOUR, PEER_COLOUR, LINE_COLOUR = "#c2410c", "#94a3b8", "#334155"
AXIS_TITLES = {
    1: "time / seed's program (less is better)",
    2: "time / seed's program (less is better)",
    3: "chunks per second (more is better)",
}
"""Titles of the charts' x axes, by row."""

# The same results give the same bytes: no random ids, no date.
STYLE = {"svg.hashsalt": "poolrace", "svg.fonttype": "path", "font.size": 9}
METADATA: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "png": {"Software": None}}


def draw(benchmark: Benchmark, directory: Path) -> list[Path]:
    """Write ``peers.svg`` and ``peers.png``; returns their paths."""
    paths = []
    with mpl.rc_context(STYLE):
        image = _image(benchmark)
        for kind, metadata in METADATA.items():
            path = directory / f"peers.{kind}"
            image.savefig(path, metadata=metadata, dpi=150)
            paths.append(path)
    return paths


def _image(benchmark: Benchmark) -> Image:
    values = {row: _values(benchmark, row) for row in AXIS_TITLES}
    names = _order(values)
    image = Image(figsize=(11, 0.8 + 0.36 * max(4, len(names))), layout="constrained")
    panels = image.subplots(1, 3, sharey=True)
    for panel, (row, row_values) in zip(panels, values.items(), strict=True):
        _draw_bars(panel, names, row_values)
        work = benchmark.works.get(str(row), "not measured")
        panel.set_title(f"{row}: {work}", fontsize=9, loc="left")
        panel.set_xlabel(AXIS_TITLES[row])
        _scale(panel, row, list(row_values.values()))
    panels[0].set_yticks(range(len(names)), [PEERS[name].title for name in names])
    panels[0].invert_yaxis()
    return image


def _values(benchmark: Benchmark, row: int) -> dict[str, float]:
    rounds = {name: benchmark.rounds(peer_figure(row, name)) for name in PEERS}
    return {name: median(measured) for name, measured in rounds.items() if measured}


def _order(values: dict[int, dict[str, float]]) -> list[str]:
    """The measured peers: the seed's program, poolrace, and all others by rate in row 3."""
    measured = [name for name in PEERS if any(name in by_name for by_name in values.values())]
    first = [name for name in ("seed", "poolrace") if name in measured]
    other_peers = [name for name in measured if name not in first]
    return [*first, *sorted(other_peers, key=lambda name: -values[3].get(name, 0.0))]


def _draw_bars(panel: Any, names: Sequence[str], values: dict[str, float]) -> None:
    for place, name in enumerate(names):
        if name not in values:
            panel.annotate(
                "-", (0, place), xycoords=("axes fraction", "data"), va="center",
                xytext=(4, 0), textcoords="offset points", color=LINE_COLOUR,
            )  # fmt: skip
            continue
        value = values[name]
        panel.barh(
            place, value, color=POOLRACE_COLOUR if name == "poolrace" else PEER_COLOUR, height=0.7
        )
        panel.annotate(f"{value:,.0f}" if value >= 100 else f"{value:.2f}", (value, place),
                       xytext=(3, 0), textcoords="offset points", va="center")  # fmt: skip
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)
    panel.tick_params(axis="y", length=0)


def _scale(panel: Any, row: int, values: Sequence[float]) -> None:
    """Set the scale of an axis: logarithmic for rates; from 0 for ratios, with a line at 1."""
    if row == 3:
        if values:
            panel.set_xscale("log")
            panel.set_xlim(min(values) / 2, max(values) * 4)
        return
    panel.axvline(1.0, color=LINE_COLOUR, linewidth=0.8, linestyle="--", zorder=0)
    panel.set_xlim(0, 1.25 * max([1.0, *values]))
