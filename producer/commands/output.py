"""Output of measuring commands: stores results, writes a report, prints.

Charts and views are imported when they are used: they take a tenth of a second, which
``producer run`` does not need.
"""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import click

from poolrace.producer.commands.closed_pipe import discard_output
from poolrace.producer.commands.invocation import invocation
from poolrace.producer.commands.terminal import print_report
from poolrace.producer.errors import JobFailed
from poolrace.producer.experiments.compare import compare
from poolrace.producer.experiments.plans import Plan
from poolrace.producer.experiments.progress import run_bars
from poolrace.producer.reports.formats import FORMATS, format_for, named_format
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import Results, require_writable, save, to_json, write_file
from poolrace.producer.settings import Settings
from poolrace.workers.errors import UsageError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Output:
    """The output options of a command: ``--out``, ``--report``, ``--json``, ``--wide``.

    Raises ``UsageError`` for a path that cannot be written, or whose suffix does not fit, before
    anything is measured.
    """

    out: Path | None
    report: Path | None
    as_json: bool
    wide: bool = False
    """Whether to print all columns of the table, also on a narrow terminal."""
    invocation: str = ""
    """The command line that repeats the measurement; it is stored with the results."""

    def __post_init__(self) -> None:
        if self.out and self.report and self.out.resolve() == self.report.resolve():
            raise UsageError(f"--out and --report are both {self.out}; give two paths")
        for path in filter(None, (self.out, self.report)):
            require_writable(path)
        if self.out and (self.out.suffix.lower() != ".json" or named_format(self.out)):
            raise UsageError(
                f"--out {self.out} would hold raw results; give a file that ends in .json, such as"
                f" results.json, or --report {self.out} for a report"
            )
        if self.format in ("svg", "png"):
            from poolrace.producer.reports.formats.image import require_charts  # noqa: PLC0415 # see above

            require_charts()

    @property
    def format(self) -> str | None:
        """The format of the report; ``None`` without one."""
        return format_for(self.report) if self.report else None

    @classmethod
    def from_options(cls, options: dict[str, Any]) -> Self:
        """Create an output from the typed options, and remove them from ``options``."""
        out, report, as_json = (options.pop(name) for name in ("out", "report", "as_json"))
        return cls(out, report, as_json, options.pop("wide", False), invocation())

    def run_plan(self, plan: Plan, settings: Settings, *, flower: bool = False) -> None:
        """Measure the plan and write the results; raises ``JobFailed`` if a run is not exact."""
        with self.keeping_incomplete() as keep, run_bars(plan.job, plan.runs) as make_observer:
            comparison = compare(
                plan, settings, flower=flower, make_observer=make_observer, keep=keep
            )
        self.write(comparison)
        if not comparison.exact:
            raise JobFailed("a run did not give the expected value")

    @contextmanager
    def keeping_incomplete(self) -> Iterator[Callable[[Results], None]]:
        """Yield a function that keeps incomplete results; an error or Ctrl-C writes the last ones.

        The error goes on, so that the exit code stays the same.
        """
        kept: list[Results] = []
        try:
            yield kept.append
        except BaseException:
            for results in kept[-1:]:
                self._write_incomplete(results)
            raise

    def write(self, results: Results) -> None:
        """Store the results, write the report, and print."""
        stored = self.store(results)
        if self.as_json:
            click.echo(json.dumps(_json_output(stored), indent=2))
        else:
            print_report(stored, wide=self.wide)

    def store(self, results: Results) -> Results:
        """Write the files; return the results with the command line that repeats them."""
        stored = replace(results, invocation=self.invocation)
        if self.out:
            save(stored, self.out)
        if self.report:
            write_file(self.report, FORMATS[format_for(self.report)](stored))
        return stored

    def _write_incomplete(self, results: Results) -> None:
        """Write the results; a full disk or a closed pipe does not hide the first error."""
        try:
            self.write(results)
        except BrokenPipeError:
            discard_output()
        except OSError as error:
            logger.warning("cannot write what was measured: %s", error.strerror)


def _json_output(results: Results) -> dict[str, Any]:
    """Return the derived figures; for a comparison its stored form with ``figures`` added."""
    from poolrace.producer.reports.views.view import view  # noqa: PLC0415 # see above

    figures = view(results).figures
    if isinstance(results, Comparison):
        return {**to_json(results), "figures": figures}
    return {
        **figures,
        "complete": results.complete,
        "interruption": results.interruption,
        "invocation": results.invocation,
    }
