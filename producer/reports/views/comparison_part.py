"""The part of a comparison's view that depends on the field that varies."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from poolrace.producer.analysis.comparison_summary import by_model, case_summaries
from poolrace.producer.analysis.scaling_summary import ScalingSummary
from poolrace.producer.analysis.sweep_summary import SweepSummary
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.comparison import comparison_chart
from poolrace.producer.reports.charts.scaling import scaling_charts
from poolrace.producer.reports.charts.sweep import sweep_chart
from poolrace.producer.reports.views import interpreters, models, scale, simulated_scale, sweep
from poolrace.producer.reports.views.column import Column
from poolrace.producer.results.comparison import Comparison, Varies


@dataclass(frozen=True)
class ComparisonPart:
    """The part of a comparison's view that depends on which field varies."""

    title: str
    columns: tuple[Column, ...]
    cells: list[tuple[str, ...]]
    findings: list[str]
    draw: Callable[[], tuple[Chart, ...]]
    figures: dict[str, Any]


def _models(compared: Comparison) -> ComparisonPart:
    cases = case_summaries(compared)
    return ComparisonPart(
        title=f"{compared.workload}: {len(cases)} execution models",
        columns=models.TABLE,
        cells=[models.cells(case) for case in cases],
        findings=[
            *models.findings(cases),
            *interpreters.findings(cases, compared.environment.interpreters),
        ],
        draw=lambda: (comparison_chart(compared, cases),),
        figures={"steps": [asdict(case) for case in cases]},
    )


def _sweep(compared: Comparison) -> ComparisonPart:
    figures = SweepSummary.from_comparison(compared)
    title = sweep.title(compared.workload, figures)
    return ComparisonPart(
        title=title,
        columns=sweep.TABLE,
        cells=sweep.cells(figures),
        findings=sweep.findings(figures),
        draw=lambda: (sweep_chart(compared, figures),),
        figures=figures.to_json(),
    )


def _scale(compared: Comparison) -> ComparisonPart:
    figures = ScalingSummary.from_comparison(compared)
    if simulation := compared.simulation:
        return ComparisonPart(
            title=simulated_scale.title(compared, figures),
            columns=simulated_scale.TABLE,
            cells=simulated_scale.cells(compared, simulation, figures),
            findings=simulated_scale.findings(compared, simulation, figures),
            draw=lambda: scaling_charts(compared, replace(figures, fit=None)),
            figures=simulated_scale.figures(compared, simulation, figures),
        )
    title = scale.title(compared.workload, figures)
    return ComparisonPart(
        title=title,
        columns=scale.table(figures),
        cells=scale.cells(figures),
        findings=scale.findings(figures),
        draw=lambda: scaling_charts(compared, figures),
        figures=figures.to_json(),
    )


PARTS: dict[Varies, Callable[[Comparison], ComparisonPart]] = {
    "model": _models,
    "chunks": _sweep,
    "slots": _scale,
    "hosts": _scale,
}
"""Field that varies -> the function that makes the part."""


def comparison_part(compared: Comparison) -> ComparisonPart:
    """The part of the field that varies; of a series under several interpreters, one for each."""
    make_part = PARTS[compared.varies]
    series = by_model(compared)
    if compared.varies == "model" or len(series) == 1:
        return make_part(compared)
    parts = {model: make_part(each) for model, each in series.items()}
    first, *others = parts
    labels = ", ".join([first, *(model.partition(" @ ")[2] for model in others)])
    return ComparisonPart(
        title=parts[first].title.replace(first, labels),
        columns=(Column("model", 0), *parts[first].columns),
        cells=[(model, *row) for model, part in parts.items() for row in part.cells],
        findings=[f"{model}: {text}" for model, part in parts.items() for text in part.findings],
        draw=lambda: tuple(
            replace(chart, name=f"{chart.name}-{number}", title=f"{chart.title}, {model}")
            for number, (model, part) in enumerate(parts.items(), 1)
            for chart in part.draw()
        ),
        figures={"models": {model: part.figures for model, part in parts.items()}},
    )
