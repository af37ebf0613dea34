"""``producer report``."""

import sys
from pathlib import Path

import click

from poolrace.producer.reports.formats import FORMATS, SUFFIXES, format_for
from poolrace.producer.results.files import load, require_writable, write_file
from poolrace.workers.errors import UsageError


@click.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "format_",
    type=click.Choice(list(FORMATS)),
    help="How to render.  [default: by the suffix of --out, else text]",
)
@click.option("--out", type=click.Path(path_type=Path), help="Write to a file, not to the screen.")
def command(results: Path, format_: str | None, out: Path | None) -> None:
    """Render the stored RESULTS of a comparison, a race or a map; measures nothing."""
    if format_ is None:
        format_ = format_for(out) if out and out.suffix.lower() in SUFFIXES else "text"
    if format_ == "png" and out is None and sys.stdout.isatty():
        raise UsageError("--format png gives pixels, not text; add --out FILE")
    content = FORMATS[format_](load(results))
    if out is None:
        click.echo(content, nl=False)
        return
    require_writable(out)
    write_file(out, content)
