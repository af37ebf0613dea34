"""``producer report``."""

from pathlib import Path

import click

from producer.reports import FORMATS
from producer.results import load, require_writable, write_text


@click.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "format_",
    type=click.Choice(list(FORMATS)),
    default="text",
    show_default=True,
    help="How to render.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Write to a file, not to the screen.")
def command(results: Path, format_: str, out: Path | None) -> None:
    """Render the stored RESULTS of a comparison; measures nothing."""
    text = FORMATS[format_](load(results))
    if out is None:
        click.echo(text, nl=False)
        return
    require_writable(out)
    write_text(out, text)
