"""Renders a stored benchmark again, or compares it with an earlier one. Measures nothing.

python -m benchmarks.report FILE                  writes latest.md and the charts beside FILE
python -m benchmarks.report FILE --against OLDER  prints a table of the figures that changed
"""

import sys
from pathlib import Path

import click

from benchmarks.history import changes
from benchmarks.plot import draw
from benchmarks.results import Benchmark, load
from benchmarks.tables import configured, has_peers, history, render
from poolrace.producer.results.files import write_file
from poolrace.workers.errors import PoolraceError

LATEST = "latest.md"
"""File name of the tables."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--against",
    type=click.Path(path_type=Path, dir_okay=False),
    help="An older file to compare FILE with.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Directory to write to."
)
def main(file: Path, against: Path | None, out: Path | None) -> None:
    """Render FILE, or compare it with an older one."""
    try:
        benchmark = load(file)
        if against is None:
            write(benchmark, out or file.parent)
            click.echo(f"{render(benchmark)}\n{configured()}")
        else:
            older = load(against)
            click.echo(history(changes(older, benchmark), older))
    except PoolraceError as error:
        click.echo(f"benchmarks: {error}", err=True)
        sys.exit(error.exit_code)


def write(benchmark: Benchmark, directory: Path) -> None:
    """Write the tables, and the charts if a row with peers was measured."""
    directory.mkdir(parents=True, exist_ok=True)
    write_file(directory / LATEST, render(benchmark))
    if has_peers(benchmark):
        draw(benchmark, directory)


if __name__ == "__main__":
    main()
