"""What commands do that measure several cases: measure, store, print, complain."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import click

from producer.compare import compare
from producer.plans import Plan
from producer.progress import bars
from producer.reports import FORMATS
from producer.reports.views import view
from producer.results import require_writable, save, write_text
from workers.errors import JobFailed, UsageError
from workers.settings import Settings


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

    @classmethod
    def from_options(cls, options: dict[str, Any]) -> Self:
        """What was typed; takes what it uses out of ``options``."""
        return cls(options.pop("out"), options.pop("report"), options.pop("as_json"))

    def of(self, plan: Plan, settings: Settings, *, flower: bool = False) -> None:
        """Measure, store and print; raises ``JobFailed`` if a run was not exact."""
        with bars(plan.job) as watch:
            comparison = compare(plan, settings, flower=flower, watch=watch)
        if self.out:
            save(comparison, self.out)
        if self.report:
            write_text(self.report, FORMATS["html"](comparison))
        if self.as_json:
            told = {**comparison.to_json(), "figures": view(comparison).figures}
            click.echo(json.dumps(told, indent=2))
        else:
            click.echo(FORMATS["text"](comparison), nl=False)
        if not comparison.exact:
            raise JobFailed("a run did not give the expected value")
