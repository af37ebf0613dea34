"""What commands do with what they measured: store it, report it, print it, complain."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import click

from poolrace.producer.errors import JobFailed
from poolrace.producer.experiments.compare import compare
from poolrace.producer.experiments.plans import Plan
from poolrace.producer.experiments.progress import bars
from poolrace.producer.reports.formats import FORMATS, format_for
from poolrace.producer.reports.formats.image import require_png
from poolrace.producer.reports.views.view import view
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import Results, require_writable, save, write_file
from poolrace.producer.settings import Settings
from poolrace.workers.errors import UsageError


@dataclass(frozen=True)
class Outcome:
    """Where the results go; raises ``UsageError`` for a place where they cannot."""

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
        """What was typed; takes what it uses out of ``options``."""
        return cls(options.pop("out"), options.pop("report"), options.pop("as_json"))

    def of(self, plan: Plan, settings: Settings, *, flower: bool = False) -> None:
        """Measure, store and print; raises ``JobFailed`` if a run was not exact."""
        with bars(plan.job) as watch:
            comparison = compare(plan, settings, flower=flower, watch=watch)
        self.tell(comparison)
        if not comparison.exact:
            raise JobFailed("a run did not give the expected value")

    def tell(self, results: Results) -> None:
        """Store, report and print."""
        if self.out:
            save(results, self.out)
        if self.report:
            write_file(self.report, FORMATS[format_for(self.report)](results))
        if self.as_json:
            click.echo(json.dumps(_for_scripts(results), indent=2))
        else:
            click.echo(FORMATS["text"](results), nl=False)


def _for_scripts(results: Results) -> dict[str, Any]:
    """What follows; a comparison is printed whole, as its file has it, with that as figures."""
    figures = view(results).figures
    whole = isinstance(results, Comparison)
    return {**results.to_json(), "figures": figures} if whole else figures
