"""What every format shows of results, by what varies in them: title, table, findings, chart."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from poolrace.producer.analysis.pool_map_winners import map_cells
from poolrace.producer.analysis.race_verdict import Verdict
from poolrace.producer.reports.drawing import charts
from poolrace.producer.reports.drawing.svg import Drawing
from poolrace.producer.reports.views import comparison as table
from poolrace.producer.reports.views import models, pool_map, race, scale, sweep
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import Results
from poolrace.producer.results.pool_map import PoolMap
from poolrace.producer.results.race import Race
from poolrace.producer.results.run import Run


@dataclass(frozen=True)
class View:
    """Results as text, not yet in any format."""

    title: str
    summary: str
    """What was run, in one line."""
    header: tuple[str, ...]
    cells: list[tuple[str, ...]]
    proof: str
    """How far the figures can be trusted, in one line."""
    sound: bool
    """Whether they can."""
    findings: list[str]
    notes: list[str]
    """Who did what, and what happened."""
    machine: list[str]
    chart: Drawing | None
    """``None`` if there is nothing to show."""
    raw_header: tuple[str, ...]
    raw: list[list[Any]]
    """The raw values, not rounded, in the order in which they were measured."""
    figures: dict[str, Any]
    """What is derived, for scripts: JSON values, not rounded."""


def view(results: Results) -> View:
    """The view for what varies."""
    return _VIEWS[results.varies](results)


@dataclass(frozen=True)
class _Part:
    """What depends on what varies in a comparison."""

    title: str
    header: tuple[str, ...]
    cells: list[tuple[str, ...]]
    findings: list[str]
    figures: dict[str, Any]


def _compared(part: Callable[[Comparison], _Part]) -> Callable[[Comparison], View]:
    """The view of a comparison, of which ``part`` gives the parts that differ."""

    def shown(comparison: Comparison) -> View:
        found = part(comparison)
        return View(
            title=found.title,
            summary=table.summary(comparison),
            header=found.header,
            cells=found.cells,
            proof=table.proof(comparison),
            sound=comparison.exact,
            findings=found.findings,
            notes=table.fleet(comparison),
            machine=table.machine(comparison.environment),
            chart=charts.chart(comparison),
            raw_header=table.COLUMNS,
            raw=[_values(run) for run in comparison.runs],
            figures=found.figures,
        )

    return shown


def _values(run: Run) -> list[Any]:
    return [getattr(run, column) for column in table.COLUMNS]


def _models(comparison: Comparison) -> _Part:
    rows = table.rows(comparison)
    title = f"{comparison.workload}: {len(rows)} execution models"
    cells = [models.cells(row) for row in rows]
    figures = {"steps": [asdict(row) for row in rows]}
    return _Part(title, models.HEADER, cells, models.findings(rows), figures)


def _sweep(comparison: Comparison) -> _Part:
    found = sweep.Sweep.of(comparison)
    return _Part(found.title, sweep.HEADER, found.cells(), found.findings(), found.figures())


def _scale(comparison: Comparison) -> _Part:
    found = scale.Scale.of(comparison)
    return _Part(found.title, found.header, found.cells(), found.findings(), found.figures())


def _race(raced: Race) -> View:
    verdict = Verdict.of(raced)
    return View(
        title=f"{raced.task}: which pool, which concurrency",
        summary=race.summary(raced),
        header=race.HEADER,
        cells=race.cells(verdict),
        proof=race.proof(verdict),
        sound=True,
        findings=race.findings(verdict),
        notes=race.notes(raced),
        machine=table.machine(raced.environment),
        chart=race.chart(verdict),
        raw_header=race.COLUMNS,
        raw=race.raw(raced),
        figures=verdict.to_json(),
    )


def _map(made: PoolMap) -> View:
    lines = map_cells(made)
    return View(
        title=pool_map.TITLE,
        summary=pool_map.summary(made),
        header=pool_map.header(made),
        cells=pool_map.cells(lines),
        proof=pool_map.PROOF,
        sound=True,
        findings=pool_map.findings(lines),
        notes=[f"{name} is out: {why}" for name, why in made.left_out.items()],
        machine=table.machine(made.environment),
        chart=pool_map.chart(made, lines),
        raw_header=pool_map.COLUMNS,
        raw=pool_map.raw(made),
        figures=pool_map.figures(made, lines),
    )


_VIEWS: dict[str, Callable[[Any], View]] = {
    "model": _compared(_models),
    "chunks": _compared(_sweep),
    "slots": _compared(_scale),
    "hosts": _compared(_scale),
    Race.varies: _race,
    PoolMap.varies: _map,
}
