"""``producer report``."""

import sys
from pathlib import Path

import click

from poolrace.producer.commands.help import Command
from poolrace.producer.commands.terminal import print_report, wide_option
from poolrace.producer.program import examples
from poolrace.producer.reports.formats import FORMATS, format_for, named_format
from poolrace.producer.results.files import load, require_writable, write_file
from poolrace.workers.errors import UsageError


@click.command(
    cls=Command,
    epilog=examples("report results.json", "report results.json --format html --out report.html"),
)
@click.argument(
    "results", metavar="RESULTS", type=click.Path(path_type=Path), help="Stored results, as JSON."
)
@click.option(
    "--format",
    "format_",
    metavar="FORMAT",
    type=click.Choice(list(FORMATS)),
    help=f"Format of the report: {', '.join(FORMATS)}."
    "  [default: by the suffix of --out, else text]",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="File to write.  [default: standard output]"
)
@wide_option
def command(results: Path, format_: str | None, out: Path | None, *, wide: bool) -> None:
    """Render the stored RESULTS of a run, comparison, race, map or claims.

    RESULTS is a file that --out of run, compare, sweep, scale, race, map or claims has written.
    Nothing is measured again.
    """
    if format_ is None:
        format_ = format_for(out) if out else "text"
    elif out and (named_format(out) or format_) != format_:
        raise UsageError(f"--format {format_} does not fit --out {out}; leave one of them out")
    if format_ == "png" and out is None and sys.stdout.isatty():
        raise UsageError("--format png is an image, which a terminal cannot show; add --out FILE")
    if out:
        require_writable(out)
    loaded = load(results)
    if out is None and format_ == "text":
        print_report(loaded, wide=wide)
        return
    content = FORMATS[format_](loaded)
    if out is None:
        click.echo(content, nl=False)
    else:
        write_file(out, content)
