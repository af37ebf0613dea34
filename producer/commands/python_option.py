"""The option ``--python``: other interpreters that run the local models."""

from typing import Any

import click

from poolrace.producer.executors.other_interpreter import require_modules
from poolrace.producer.interpreters import probe_all
from poolrace.producer.results.interpreter import Interpreter

python_option = click.option(
    "--python",
    "pythons",
    metavar="PATH",
    multiple=True,
    help="Python interpreter, 3.11 or newer, that runs the local models in place of this one;"
    " nothing is installed there. Repeatable.",
)


def interpreters_from(options: dict[str, Any]) -> list[Interpreter]:
    """Read the facts of the typed interpreters, and remove the option from ``options``.

    Raises ``UsageError`` for an interpreter that cannot compute chunks.
    """
    interpreters = probe_all(options.pop("pythons"))
    for interpreter in interpreters:
        require_modules(interpreter)
    return interpreters
