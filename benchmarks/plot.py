"""Draws the peers side by side: one panel for each of rows 1 to 3, a bar for each peer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure as Sheet

from benchmarks.peers import PEERS
from benchmarks.results import Benchmark
from benchmarks.tables import side_by_side
from poolrace.producer.analysis.stats import median

OURS, OTHERS, LIMIT = "#c2410c", "#94a3b8", "#334155"
UNITS = {1: "time / seed's program (less is better)", 2: "time / seed's program (less is better)",
         3: "chunks per second (more is better)"}  # fmt: skip

# The same file gives the same picture: no random ids, no date.
STYLE = {"svg.hashsalt": "poolrace", "svg.fonttype": "path", "font.size": 9}
UNDATED: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "png": {"Software": None}}


def draw(benchmark: Benchmark, directory: Path) -> list[Path]:
    """Write ``peers.svg`` and ``peers.png``; returns where."""
    paths = []
    with mpl.rc_context(STYLE):
        sheet = _sheet(benchmark)
        for kind, metadata in UNDATED.items():
            path = directory / f"peers.{kind}"
            sheet.savefig(path, metadata=metadata, dpi=150)
            paths.append(path)
    return paths


def _sheet(benchmark: Benchmark) -> Sheet:
    values = {row: _values(benchmark, row) for row in UNITS}
    names = _order(values)
    sheet = Sheet(figsize=(11, 0.8 + 0.36 * max(4, len(names))), layout="constrained")
    panels = sheet.subplots(1, 3, sharey=True)
    for panel, (row, found) in zip(panels, values.items(), strict=True):
        _panel(panel, names, found)
        work = benchmark.works.get(str(row), "not measured")
        panel.set_title(f"{row}: {work}", fontsize=9, loc="left")
        panel.set_xlabel(UNITS[row])
        _scale(panel, row, list(found.values()))
    panels[0].set_yticks(range(len(names)), [PEERS[name].title for name in names])
    panels[0].invert_yaxis()
    return sheet


def _values(benchmark: Benchmark, row: int) -> dict[str, float]:
    rounds = {name: benchmark.rounds(side_by_side(row, name)) for name in PEERS}
    return {name: median(found) for name, found in rounds.items() if found}


def _order(values: dict[int, dict[str, float]]) -> list[str]:
    """Those that were measured: the seed's program, poolrace, then by the rate of row 3."""
    measured = [name for name in PEERS if any(name in found for found in values.values())]
    first = [name for name in ("seed", "poolrace") if name in measured]
    others = [name for name in measured if name not in first]
    return [*first, *sorted(others, key=lambda name: -values[3].get(name, 0.0))]


def _panel(panel: Any, names: Sequence[str], found: dict[str, float]) -> None:
    for place, name in enumerate(names):
        if name not in found:
            panel.annotate("-", (0, place), xycoords=("axes fraction", "data"), va="center",
                           xytext=(4, 0), textcoords="offset points", color=LIMIT)  # fmt: skip
            continue
        value = found[name]
        panel.barh(place, value, color=OURS if name == "poolrace" else OTHERS, height=0.7)
        panel.annotate(f"{value:,.0f}" if value >= 100 else f"{value:.2f}", (value, place),
                       xytext=(3, 0), textcoords="offset points", va="center")  # fmt: skip
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)
    panel.tick_params(axis="y", length=0)


def _scale(panel: Any, row: int, values: Sequence[float]) -> None:
    """Rates differ by orders of magnitude; ratios begin at 0, with a line where the limit is."""
    if row == 3:
        if values:
            panel.set_xscale("log")
            panel.set_xlim(min(values) / 2, max(values) * 4)
        return
    panel.axvline(1.0, color=LIMIT, linewidth=0.8, linestyle="--", zorder=0)
    panel.set_xlim(0, 1.25 * max([1.0, *values]))
