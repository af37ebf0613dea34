"""Output of measuring commands: stores results, writes a report, prints."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import click

from poolrace.producer.errors import JobFailed
from poolrace.producer.experiments.compare import compare
from poolrace.producer.experiments.plans import Plan
from poolrace.producer.experiments.progress import run_bars
from poolrace.producer.reports.formats import FORMATS, format_for
from poolrace.producer.reports.formats.image import require_png
from poolrace.producer.reports.views.view import view
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import Results, require_writable, save, write_file
from poolrace.producer.settings import Settings
from poolrace.workers.errors import UsageError


@dataclass(frozen=True)
class Output:
    """The output options of a command: ``--out``, ``--report`` and ``--json``.

    Raises ``UsageError`` for a path that cannot be written, before anything is measured.
    """

    out: Path | None
    report: Path | None
    as_json: bool

    def __post_init__(self) -> None:
        if self.out and self.report and self.out.resolve() == self.report.resolve():
            raise UsageError(f"--out and --report are both {self.out}; give two paths")
        for path in filter(None, (self.out, self.report)):
            require_writable(path)
        if self.report and format_for(self.report) == "png":
            require_png()

    @classmethod
    def from_options(cls, options: dict[str, Any]) -> Self:
        """Create an output from the typed options, and remove them from ``options``."""
        return cls(options.pop("out"), options.pop("report"), options.pop("as_json"))

    def run_plan(self, plan: Plan, settings: Settings, *, flower: bool = False) -> None:
        """Measure the plan and write the results; raises ``JobFailed`` if a run is not exact."""
        with run_bars(plan.job) as make_observer:
            comparison = compare(plan, settings, flower=flower, make_observer=make_observer)
        self.write(comparison)
        if not comparison.exact:
            raise JobFailed("a run did not give the expected value")

    def write(self, results: Results) -> None:
        """Store the results, write the report, and print."""
        if self.out:
            save(results, self.out)
        if self.report:
            write_file(self.report, FORMATS[format_for(self.report)](results))
        if self.as_json:
            click.echo(json.dumps(_json_output(results), indent=2))
        else:
            click.echo(FORMATS["text"](results), nl=False)


def _json_output(results: Results) -> dict[str, Any]:
    """Return the derived figures; for a comparison its stored form with ``figures`` added."""
    figures = view(results).figures
    if isinstance(results, Comparison):
        return {**results.to_json(), "figures": figures}
    return figures
