"""Measures the execution models under several Python interpreters, for the documentation.

    python docs/tools/interpreters.py measure [--quick] [--to FOLDER] PYTHON ...
    python docs/tools/interpreters.py render [FOLDER]
    python docs/tools/interpreters.py check [FOLDER]

Each PYTHON needs ``celery[redis]``; ``.ci/laws`` makes such environments. ``measure`` runs the
local models and a Celery cluster under each of them and stores the comparisons in FOLDER, which is
``docs/examples/interpreters`` by default. ``render`` writes the table and the chart of the stored
comparisons, and ``check`` fails if ``render`` would change them. ``--quick`` measures next to
nothing, to try the tool.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from poolrace.producer.analysis.stats import median, spread
from poolrace.producer.interpreters import probe_all
from poolrace.producer.reports.charts import palette, rendering, style
from poolrace.producer.reports.views.interpreters import facts
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import load
from poolrace.producer.results.interpreter import Interpreter

if TYPE_CHECKING:
    import altair as alt

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "docs" / "examples" / "interpreters"
TABLE, CHART = "table.md", "chart.svg"
PICTURE = (
    "![Times of each model under each interpreter, computing and mixed]"
    f"(../examples/interpreters/{CHART})"
)
"""The chart, as the page in ``docs/explanation`` shows it."""
REPEAT = 5
"""Number of runs of each model under each interpreter."""
WIDTH = 640
"""Pixels of the width of the chart."""


@dataclass(frozen=True)
class Work:
    """A workload to measure, with the slots that suit it."""

    title: str
    arguments: str
    quick: str
    locals_: tuple[str, ...]
    pools: tuple[str, ...]


WORKS = {
    "computing": Work(
        title="computing: the sum of 100,000,000 integers",
        arguments="sum --stop 100_000_000",
        quick="sum --stop 20_000",
        locals_=("single", "threads:2", "processes:2", "interpreters:2"),
        pools=("prefork:2", "threads:2"),
    ),
    "mixed": Work(
        title="mixed: 200 items that compute 1 ms and wait 10 ms",
        arguments="mixed --cpu-s 0.001 --wait-s 0.01 --stop 200",
        quick="mixed --cpu-s 0.001 --wait-s 0.01 --stop 8",
        locals_=("single", "threads:32", "processes:8", "interpreters:8"),
        pools=("prefork:8", "threads:32"),
    ),
}
"""Name -> workload. While it computes, two slots fill two cores; while it waits, the slots are the
defaults of ``producer``."""

MODELS = {
    "local:single": "one thread",
    "local:threads": "threads",
    "local:processes": "processes",
    "local:interpreters": "interpreters",
    "celery:prefork": "Celery prefork",
    "celery:threads": "Celery threads",
}
"""Model -> its name in the table and the chart."""


@dataclass(frozen=True)
class Cell:
    """The times of one model under one interpreter."""

    work: str
    label: str
    """Label of the interpreter, as in ``3.13t``."""
    model: str
    times_s: list[float]


@dataclass(frozen=True)
class Measured:
    """Everything that ``measure`` stored."""

    interpreters: list[Interpreter]
    cells: list[Cell]

    def cell(self, work: str, label: str, model: str) -> Cell | None:
        """The times of this model, or ``None`` if the interpreter cannot run it."""
        wanted = (work, label, model)
        return next((c for c in self.cells if (c.work, c.label, c.model) == wanted), None)


def measure(pythons: list[str], folder: Path, *, quick: bool) -> None:
    """Run all comparisons and store them in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    interpreters = probe_all(tuple(pythons))
    repeat = "1" if quick else str(REPEAT)
    for name, work in WORKS.items():
        compare = ["compare", *(work.quick if quick else work.arguments).split()]
        compare += ["--repeat", repeat, "--out"]
        models = _options("--local", work.locals_) + _options("--python", pythons)
        with tempfile.TemporaryDirectory() as directory:
            _producer(directory, *compare, str(folder / f"{name}.json"), *models)
            for each in interpreters:
                out = folder / f"{name}-celery-{each.label}.json"
                pools = [pool.partition(":")[0] for pool in work.pools]
                try:
                    up = ["up", *_options("--pool", work.pools), "--python", each.path]
                    _producer(directory, *up)
                    _producer(directory, *compare, str(out), *_options("--pool", pools))
                finally:
                    _producer(directory, "down")
        _without_paths(folder / f"{name}.json")


def stored(folder: Path) -> Measured:
    """Read the comparisons of the folder."""
    cells: list[Cell] = []
    interpreters: list[Interpreter] = []
    for name in WORKS:
        local = _comparison(folder / f"{name}.json")
        interpreters = local.environment.interpreters
        cells += _cells(name, local)
        for each in interpreters:
            celery = _comparison(folder / f"{name}-celery-{each.label}.json")
            cells += _cells(name, celery, each.label)
    return Measured(interpreters, cells)


def table(measured: Measured) -> str:
    """The times as Markdown: the chart, and one table per workload with a row per interpreter."""
    parts = [PICTURE, "\n".join(f"- {i.label}: {facts(i)}" for i in measured.interpreters)]
    parts += [_work_table(measured, name, work) for name, work in WORKS.items()]
    return "\n\n".join(parts) + "\n"


def chart(measured: Measured) -> str:
    """The times as an SVG: one panel per workload, one line per interpreter, one mark per model."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    labels = [each.label for each in measured.interpreters]
    panels = [_panel(measured, name, work.title, labels) for name, work in WORKS.items()]
    with style.theme():
        spec = alt.vconcat(*panels, spacing=30).to_dict()
    return rendering.svg(spec, "interpreters", WIDTH) + "\n"


def main() -> None:
    """Measure, render or check, as the first argument says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("python", nargs="+")
    measuring.add_argument("--quick", action="store_true")
    measuring.add_argument("--to", type=Path, default=FOLDER)
    for name in ("render", "check"):
        commands.add_parser(name).add_argument("to", type=Path, nargs="?", default=FOLDER)
    arguments = parser.parse_args()
    folder = arguments.to.absolute()
    if arguments.command == "measure":
        measure(arguments.python, folder, quick=arguments.quick)
    measured = stored(folder)
    for path, text in ((folder / TABLE, table(measured)), (folder / CHART, chart(measured))):
        if arguments.command != "check":
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            sys.exit(f"{path} is not what the results give; run {sys.argv[0]} render")


def _options(name: str, values: list[str] | tuple[str, ...]) -> list[str]:
    return [word for value in values for word in (name, value)]


def _producer(directory: str, *arguments: str) -> None:
    """Run ``producer``, whose cluster lies in the directory."""
    environment = {**os.environ, "POOLRACE_HOST": "host"}
    command = [sys.executable, "-m", "poolrace.producer", *arguments]
    subprocess.run(command, cwd=directory, env=environment, check=True)


def _without_paths(file: Path) -> None:
    """Replace the paths of the interpreters by names: they tell nothing on other machines."""
    results = json.loads(file.read_text())
    for each in results["environment"]["interpreters"]:
        each["path"] = f"python{each['label']}"
    file.write_text(json.dumps(results, indent=1) + "\n")


def _comparison(file: Path) -> Comparison:
    results = load(file)
    if not isinstance(results, Comparison):
        raise TypeError(f"{file} is not a comparison")
    return results


def _cells(work: str, comparison: Comparison, label: str = "") -> Iterator[Cell]:
    """The times of each model; local models have the label of their interpreter in their names."""
    times: dict[str, list[float]] = {}
    for run in comparison.runs:
        if not run.exact:
            raise ValueError(f"{run.model} computed {run.value} instead of {run.expected}")
        times.setdefault(run.model, []).append(run.elapsed_s)
    for model, times_s in times.items():
        name, _, own_label = model.partition(" @ ")
        yield Cell(work, own_label or label, name, times_s)


def _work_table(measured: Measured, name: str, work: Work) -> str:
    lines = [
        f"| {work.title} | {' | '.join(MODELS.values())} | price of one thread |",
        f"|---|{'---:|' * (len(MODELS) + 1)}",
    ]
    for each in measured.interpreters:
        base = measured.cell(name, each.label, "local:single")
        cells = [_text(measured.cell(name, each.label, model), base) for model in MODELS]
        price = _price(measured, name, each)
        lines.append(f"| {each.label} | {' | '.join(cells)} | {price} |")
    return "\n".join(lines)


def _text(cell: Cell | None, base: Cell | None) -> str:
    """Median and spread, and the speed-up over one thread of the same interpreter."""
    if cell is None:
        return "-"
    text = f"{median(cell.times_s):.2f} s ± {spread(cell.times_s):.2f}"
    if base is None or cell is base:
        return text
    return f"{text} ({median(base.times_s) / median(cell.times_s):.2f}x)"


def _price(measured: Measured, work: str, interpreter: Interpreter) -> str:
    """The time of one thread against the same version with a GIL, and else against the oldest."""
    same = [
        each
        for each in measured.interpreters
        if each.version_info == interpreter.version_info and not each.free_threaded
    ]
    oldest = min(measured.interpreters, key=lambda each: each.version_info)
    base = same[0] if interpreter.free_threaded and same else oldest
    own = measured.cell(work, interpreter.label, "local:single")
    other = measured.cell(work, base.label, "local:single")
    if base is interpreter or own is None or other is None:
        return "-"
    return f"{median(own.times_s) / median(other.times_s):.2f}x of {base.label}"


def _panel(measured: Measured, work: str, title: str, labels: list[str]) -> "alt.LayerChart":
    """One workload: a mark at the median of each model, and a line from fastest to slowest."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    rows = [
        {
            "interpreter": cell.label,
            "model": MODELS[cell.model],
            "median": median(cell.times_s),
            "fastest": min(cell.times_s),
            "slowest": max(cell.times_s),
        }
        for cell in measured.cells
        if cell.work == work
    ]
    names = list(MODELS.values())
    colour = alt.Color("model:N").title(None).scale(domain=names, range=list(palette.MARKS[:6]))
    base = alt.Chart(alt.InlineData(rows)).encode(
        y=alt.Y("interpreter:N").sort(labels).title("CPython"),
        yOffset=alt.YOffset("model:N").sort(names),
        color=colour,
    )
    x = alt.X("median:Q").title("time (s); less is better")
    times = base.mark_rule(strokeWidth=2).encode(x="fastest:Q", x2="slowest:Q")
    points = base.mark_point(filled=True, size=60, opacity=1).encode(x=x)
    layers = alt.LayerChart(layer=[times, points], title=title)
    return layers.properties(width=WIDTH, height=60 * len(labels))


if __name__ == "__main__":
    main()
