"""The view of results: the content that every report format shows. One entry per kind of result."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from poolrace.producer.analysis.diff import Diff
from poolrace.producer.analysis.pool_map_winners import map_cells
from poolrace.producer.analysis.race_verdict import judge
from poolrace.producer.reports.charts import rendering, style
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.claims import claim_charts
from poolrace.producer.reports.charts.diff import diff_charts
from poolrace.producer.reports.charts.pool_map import map_charts
from poolrace.producer.reports.charts.race import race_charts
from poolrace.producer.reports.charts.timeline import timeline_chart, timeline_charts
from poolrace.producer.reports.views import (
    claims,
    comparison,
    diff,
    environment,
    incomplete,
    pool_map,
    pool_map_findings,
    race,
    race_cases,
    simulated_scale,
    single_run,
)
from poolrace.producer.reports.views.column import Column
from poolrace.producer.reports.views.comparison_part import PARTS, comparison_part
from poolrace.producer.results.claims import Claims
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import Results
from poolrace.producer.results.pool_map import PoolMap
from poolrace.producer.results.race import Race
from poolrace.producer.results.single_run import SingleRun

Viewed = Results | Diff
"""The things that reports are made from: stored results, and the diff of two of them."""


@dataclass(frozen=True)
class View:
    """The content of a report as text and figures, before it is written in a format."""

    title: str
    summary: str
    """What was measured, in one line."""
    warnings: list[str]
    """Reasons not to rely on the figures: the measurement ended early, or the machines differ."""
    columns: tuple[Column, ...]
    cells: list[tuple[str, ...]]
    validity: str
    """Whether the values are exact, or the candidates distinguishable, in one line."""
    valid: bool
    """Whether the figures can be used; if not, the HTML page shows ``validity`` as an error."""
    findings: list[str]
    """Sentences that explain the figures."""
    notes: list[str]
    """Events, shares of hosts, pools and candidates that were left out."""
    environment: list[str]
    """Hosts and versions."""
    raw_header: tuple[str, ...]
    raw: list[list[Any]]
    """Values as measured, not rounded, one row per run or lap in the order of measurement. The rows
    of a diff are its cases."""
    figures: dict[str, Any]
    """Derived values, not rounded: the part of ``--json`` that results files do not hold."""
    draw: Callable[[], tuple[Chart, ...]] = tuple
    """The function that makes the charts: most formats have none, and Altair takes a second."""
    invocation: str = ""
    """The command that repeats the measurement; empty if the results do not hold it."""

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def charts(self) -> tuple[Chart, ...]:
        """The charts, of which the first one is in images; none without the extra ``charts``."""
        if not rendering.is_installed():
            return ()
        with style.theme():
            return self.draw()


def view(results: Viewed) -> View:
    """The view of a comparison, a race, a pool map, a single run, claims, or a diff."""
    return _VIEWS[results.varies](results)


def _comparison(compared: Comparison) -> View:
    part = comparison_part(compared)
    return View(
        title=part.title,
        summary=comparison.summary(compared),
        warnings=[
            *incomplete.lines(compared, "runs", len(compared.runs), compared.planned),
            *([simulated_scale.WARNING] if compared.simulation else []),
        ],
        columns=part.columns,
        cells=part.cells,
        validity=comparison.exactness(compared),
        valid=compared.exact,
        findings=part.findings,
        notes=comparison.notes(compared),
        environment=environment.lines(compared.environment),
        draw=lambda: (*part.draw(), *timeline_charts(compared)),
        raw_header=comparison.COLUMNS,
        raw=[comparison.raw_values(run) for run in compared.runs],
        figures=part.figures,
        invocation=compared.invocation,
    )


def _race(raced: Race) -> View:
    verdict = judge(raced)
    return View(
        title=f"{raced.task}: pools and concurrencies compared",
        summary=race.summary(raced),
        warnings=incomplete.lines(raced, "laps", len(raced.laps)) if raced.interruption else [],
        columns=race.TABLE,
        cells=race.cells(verdict),
        validity=race_cases.proof(verdict),
        valid=True,
        findings=race_cases.findings(verdict),
        notes=race.notes(raced),
        environment=environment.lines(raced.environment),
        raw_header=race.COLUMNS,
        raw=race.raw(raced),
        figures=verdict.to_json(),
        draw=lambda: race_charts(raced, verdict),
        invocation=raced.invocation,
    )


def _map(measured: PoolMap) -> View:
    lines = map_cells(measured)
    return View(
        title=pool_map.TITLE,
        summary=pool_map.summary(measured, lines),
        warnings=incomplete.lines(measured, "laps", len(measured.laps), measured.planned),
        columns=pool_map.table(measured),
        cells=pool_map.cells(lines),
        validity=pool_map.PROOF,
        valid=True,
        findings=pool_map_findings.findings(measured),
        notes=[f"{name} was left out, because {why}" for name, why in measured.left_out.items()],
        environment=environment.lines(measured.environment),
        raw_header=pool_map.COLUMNS,
        raw=pool_map.raw(measured),
        figures=pool_map.figures(measured, lines),
        draw=lambda: map_charts(lines),
        invocation=measured.invocation,
    )


def _run(single: SingleRun) -> View:
    run = single.run
    return View(
        title=single_run.title(run),
        summary=single_run.summary(single),
        warnings=incomplete.lines(single, "chunks", run.chunks),
        columns=single_run.TABLE,
        cells=single_run.cells(run),
        validity=single_run.exactness(run),
        valid=run.exact,
        findings=single_run.findings(run),
        notes=single_run.notes(run),
        environment=environment.lines(single.environment),
        draw=lambda: tuple(filter(None, (timeline_chart(run),))),
        raw_header=single_run.COLUMNS,
        raw=single_run.raw(run),
        figures=single_run.figures(run),
        invocation=single.invocation,
    )


def _claims(tested: Claims) -> View:
    judged = claims.judgements(tested)
    return View(
        title=claims.title(tested),
        summary=claims.summary(tested),
        warnings=incomplete.lines(tested, "claims", len(tested.claims), tested.planned),
        columns=claims.TABLE,
        cells=claims.cells(tested, judged),
        validity=claims.counted(judged),
        valid=True,
        findings=claims.findings(tested, judged),
        notes=[],
        environment=environment.lines(tested.environment),
        raw_header=claims.COLUMNS,
        raw=claims.raw(tested),
        figures=claims.figures(tested, judged),
        draw=lambda: claim_charts(tested),
        invocation=tested.invocation,
    )


def _diff(compared: Diff) -> View:
    old, new = view(compared.old), view(compared.new)
    return View(
        title=f"Diff of two results: {old.title}",
        summary=diff.summary(compared),
        warnings=[*diff.by_file(old.warnings, new.warnings), *diff.warnings(compared)],
        columns=diff.table(compared),
        cells=diff.cells(compared),
        validity=diff.confidence(compared) if old.valid and new.valid else diff.NOT_EXACT,
        valid=old.valid and new.valid,
        findings=diff.findings(compared),
        notes=diff.notes(compared),
        environment=diff.by_file(
            [old.summary, old.validity, *old.environment],
            [new.summary, new.validity, *new.environment],
        ),
        raw_header=diff.COLUMNS,
        raw=diff.raw(compared),
        figures=diff.figures(compared),
        draw=lambda: diff_charts(compared),
        invocation=compared.invocation,
    )


_VIEWS: dict[str, Callable[[Any], View]] = {
    **dict.fromkeys(PARTS, _comparison),
    Race.varies: _race,
    PoolMap.varies: _map,
    SingleRun.varies: _run,
    Claims.varies: _claims,
    Diff.varies: _diff,
}
"""Field in which the runs or laps differ -> the function that makes the view."""
