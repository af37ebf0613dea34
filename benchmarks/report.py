"""Renders a stored benchmark again, or compares it with an earlier one. Measures nothing.

python -m benchmarks.report FILE                  writes latest.md and the charts beside FILE
python -m benchmarks.report FILE --against OLDER  prints a table of the figures that changed
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from benchmarks.figures import Figure
from benchmarks.history import changes, require_comparable
from benchmarks.plot import draw
from benchmarks.results import Benchmark, load
from benchmarks.tables import changed, configured, has_peers, history, render
from poolrace.producer.results.files import write_file
from poolrace.workers.errors import PoolraceError

LATEST, HISTORY = "latest.md", "history.md"
"""File names of the tables of one benchmark, and of the values in all benchmarks of a machine."""


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
            require_comparable(older, benchmark)
            click.echo(changed(changes([older], benchmark)))
    except PoolraceError as error:
        click.echo(f"benchmarks: {error}", err=True)
        sys.exit(error.exit_code)


def write(benchmark: Benchmark, directory: Path) -> None:
    """Write the tables, and the charts if a row with peers was measured."""
    directory.mkdir(parents=True, exist_ok=True)
    write_file(directory / LATEST, render(benchmark))
    if has_peers(benchmark):
        draw(benchmark, directory)


def write_history(values: Mapping[Figure, Mapping[str, float]], directory: Path) -> None:
    """Write the table of each figure's values over time."""
    write_file(directory / HISTORY, f"{history(values)}\n")


if __name__ == "__main__":
    main()
