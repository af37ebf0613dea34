"""What every format shows of a comparison, by what varies in it: title, table, findings."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from producer.reports import models, scale, sweep
from producer.reports.table import rows
from producer.results import Comparison, Varies


@dataclass(frozen=True)
class View:
    """A comparison as text, not yet in any format."""

    title: str
    header: tuple[str, ...]
    cells: list[tuple[str, ...]]
    findings: list[str]
    figures: dict[str, Any]
    """What is derived, for scripts: JSON values, not rounded."""


def view(comparison: Comparison) -> View:
    """The view for what varies."""
    return _VIEWS[comparison.varies](comparison)


def _models(comparison: Comparison) -> View:
    table = rows(comparison)
    title = f"{comparison.workload}: {len(table)} execution models"
    cells = [models.cells(row) for row in table]
    figures = {"steps": [asdict(row) for row in table]}
    return View(title, models.HEADER, cells, models.findings(table), figures)


def _sweep(comparison: Comparison) -> View:
    found = sweep.Sweep.of(comparison)
    return View(found.title, sweep.HEADER, found.cells(), found.findings(), found.figures())


def _scale(comparison: Comparison) -> View:
    found = scale.Scale.of(comparison)
    return View(found.title, found.header, found.cells(), found.findings(), found.figures())


_VIEWS: dict[Varies, Callable[[Comparison], View]] = {
    "model": _models,
    "chunks": _sweep,
    "slots": _scale,
    "hosts": _scale,
}
