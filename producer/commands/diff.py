"""``producer diff``."""

import json
import logging
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from poolrace.producer.analysis.diff import DEFAULT_MARGIN, Diff, compare_results
from poolrace.producer.commands.help import Command
from poolrace.producer.commands.output import Output
from poolrace.producer.commands.terminal import print_report, wide_option
from poolrace.producer.errors import CheckFailed
from poolrace.producer.program import examples
from poolrace.producer.reports.formats import FORMATS, format_for, trace
from poolrace.producer.reports.views.diff import with_factors
from poolrace.producer.reports.views.view import view
from poolrace.producer.results.files import load, write_file
from poolrace.workers.errors import UsageError

logger = logging.getLogger(__name__)

DIFF_FORMATS = ("text", "markdown", "csv", "html", "svg", "png")
"""Formats of a diff's report; the others show single runs."""

JSON = "json"
"""Name of the format of ``--json``."""

LARGEST_PERCENT = 1000.0
"""Percent of a difference, at most: eleven times as long."""

SLOWER = "slower"
"""The only result that ``--fail-if`` asks for."""


class Percent(click.ParamType[float]):
    """A relative difference, written ``10%`` or ``10``; the value is a share."""

    name = "percent"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the share; fails for text that is not a number within the range."""
        try:
            percent = float(str(value).removesuffix("%"))
        except ValueError:
            percent = math.nan
        if not 0 < percent <= LARGEST_PERCENT:
            self.fail(f"{value!r} is not a percentage above 0; write 10%.", param, ctx)
        return percent / 100


class Condition(click.ParamType[float]):
    """The condition ``slower:10%``; the value is the share."""

    name = "condition"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the share; fails for any other condition."""
        result, _, percent = str(value).partition(":")
        if result != SLOWER or not percent:
            self.fail(f"{value!r} is not a condition; write {SLOWER}:10%.", param, ctx)
        return Percent().convert(percent, param, ctx)


@click.command(
    cls=Command,
    epilog=examples(
        "diff old.json new.json",
        "diff old.json new.json --fail-if slower:10%",
        "diff old.json new.json --format markdown",
    ),
)
@click.argument(
    "old", metavar="OLD", type=click.Path(path_type=Path), help="Stored results, as JSON."
)
@click.argument(
    "new", metavar="NEW", type=click.Path(path_type=Path), help="Later results of the same kind."
)
@click.option(
    "--margin",
    metavar="PERCENT",
    type=Percent(),
    default=f"{DEFAULT_MARGIN:.0%}",
    show_default=True,
    help="Difference up to which a case counts as the same.",
)
@click.option(
    "--fail-if",
    "limit",
    metavar="CONDITION",
    type=Condition(),
    help="Exit code 1 if a case is slower by more than a percentage, as slower:10%.",
)
@click.option(
    "--format",
    "format_",
    metavar="FORMAT",
    type=click.Choice([*DIFF_FORMATS, JSON]),
    help=f"Format to print: {', '.join([*DIFF_FORMATS, JSON])}.  [default: text]",
)
@click.option("--out", type=click.Path(path_type=Path), help="File for the diff, as JSON.")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    help="File for a report; its suffix chooses the format: .txt, .md, .csv, .html, .svg or .png.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@wide_option
def command(
    old: Path, new: Path, margin: float, limit: float | None, format_: str | None, **options: Any
) -> None:
    """Compare two results files case by case: faster, slower or the same.

    OLD and NEW are files that --out of compare, sweep, scale, race or map has written for the same
    work. A case needs three runs or laps in each file, in a map two. Races are compared by the laps
    of their finals.
    """
    output = _output(old, new, format_, options)
    diff = compare_results(load(old), load(new), margin)
    diff = replace(diff, invocation=output.invocation)
    figures = json.dumps(view(diff).figures, indent=2)
    if output.out:
        write_file(output.out, f"{figures}\n")
    if output.report:
        write_file(output.report, FORMATS[format_for(output.report)](diff))
    if output.as_json:
        click.echo(figures)
    elif format_ in (None, "text"):
        print_report(diff, wide=output.wide)
    else:
        click.echo(FORMATS[format_](diff), nl=False)
    if limit is not None:
        _check(diff, limit)


def _output(old: Path, new: Path, format_: str | None, options: dict[str, Any]) -> Output:
    """Return the output options; raises ``UsageError`` if one of them does not fit a diff."""
    if options["as_json"] and format_ not in (None, JSON):
        raise UsageError(f"--json and --format {format_} exclude each other; give one")
    options["as_json"] = options["as_json"] or format_ == JSON
    output = Output.from_options(options)
    if output.format == "trace":
        trace.refuse("diff")
    for path in filter(None, (output.out, output.report)):
        if path.resolve() in (old.resolve(), new.resolve()):
            raise UsageError(f"{path} would be overwritten; give another path for the diff")
    return output


def _check(diff: Diff, limit: float) -> None:
    """Raise ``CheckFailed`` if a case is slower by more than the limit, or a value is wrong."""
    if not view(diff.new).valid:
        raise CheckFailed("a value in NEW is not exact, so its times mean nothing")
    if cases := diff.slower_than(limit):
        raise CheckFailed(f"slower by more than {100 * limit:g}%: {with_factors(cases)}")
    if not any(case.judged for case in diff.cases):
        logger.warning(
            "no case has %s values in both files, so --fail-if can find nothing; repeat the"
            " measurements more often",
            diff.least,
        )
