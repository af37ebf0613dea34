"""``producer report``."""

import sys
from pathlib import Path

import click

from poolrace.producer.commands.options import example
from poolrace.producer.reports.formats import FORMATS, SUFFIXES, format_for
from poolrace.producer.results.files import load, require_writable, write_file
from poolrace.workers.errors import UsageError


@click.command(epilog=example("report results.json --format html --out report.html"))
@click.argument("results", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "format_",
    type=click.Choice(list(FORMATS)),
    help="Format of the report.  [default: by the suffix of --out, else text]",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="File to write.  [default: standard output]"
)
def command(results: Path, format_: str | None, out: Path | None) -> None:
    """Render the stored RESULTS of a comparison, a race or a map.

    RESULTS is a file that --out of compare, sweep, scale, race or map has written. Nothing is
    measured again.
    """
    if format_ is None:
        format_ = format_for(out) if out else "text"
    elif out and SUFFIXES.get(out.suffix.lower(), format_) != format_:
        raise UsageError(f"--format {format_} does not fit --out {out}; leave one of them out")
    if format_ == "png" and out is None and sys.stdout.isatty():
        raise UsageError("--format png is an image, which a terminal cannot show; add --out FILE")
    content = FORMATS[format_](load(results))
    if out is None:
        click.echo(content, nl=False)
        return
    require_writable(out)
    write_file(out, content)
