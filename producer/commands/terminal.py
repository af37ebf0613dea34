"""Prints text reports as wide as the terminal.

Reports are imported when one is printed: it takes a tenth of a second, which ``producer run`` does
not need.
"""

import os
import shutil
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from poolrace.producer.reports.fitting import wrapped

if TYPE_CHECKING:
    from poolrace.producer.reports.views.view import Viewed

F = TypeVar("F", bound=Callable[..., object])

wide_option: Callable[[F], F] = click.option(
    "--wide", is_flag=True, help="Print all columns of the table, also on a narrow terminal."
)


def output_width() -> int | None:
    """Number of columns of standard output; ``None``: lines have any length.

    Scripts and files get whole lines with all columns, which are easier to parse than a fitted
    table, unless ``COLUMNS`` asks for a width.
    """
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def print_report(results: "Viewed", *, wide: bool) -> None:
    """Print the text report of the results."""
    from poolrace.producer.reports.formats import text  # noqa: PLC0415 # see above

    click.echo(text.render(results, output_width(), wide=wide), nl=False)


def print_wrapped(lines: str) -> None:
    """Print lines, wrapped at words to the terminal's width."""
    width = output_width()
    for line in lines.splitlines():
        click.echo("\n".join(wrapped(line, width)))
