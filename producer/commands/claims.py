"""``producer claims``."""

from typing import Any

import click

from poolrace.producer.commands.completion import complete_names
from poolrace.producer.commands.help import Command
from poolrace.producer.commands.options import Name, broker_option, result_options, settings_from
from poolrace.producer.commands.output import Output
from poolrace.producer.experiments.claims.measure_claims import (
    NAMES,
    ClaimsOptions,
    measure_claims,
)
from poolrace.producer.experiments.progress import steps
from poolrace.producer.interpreters import probe_all
from poolrace.producer.program import examples
from poolrace.producer.reports.formats import trace
from poolrace.workers.errors import UsageError
from poolrace.workers.pools import POOLS


@click.command(
    cls=Command,
    epilog=examples(
        "claims",
        "claims create-thread lost-updates",
        "claims switch-voluntary --on threads",
        "claims --out claims.json --report claims.html",
    ),
)
@click.argument(
    "names",
    metavar="[CLAIM]...",
    nargs=-1,
    type=Name(NAMES),
    help="Names of claims, such as create-thread.  [default: all]",
)
@click.option(
    "--on",
    "pool",
    metavar="POOL",
    type=Name(list(POOLS)),
    shell_complete=complete_names(POOLS),
    help=f"Celery pool on whose worker hosts the claims are tested: {', '.join(POOLS)}."
    "  [default: this machine]",
)
@click.option(
    "--python",
    "pythons",
    metavar="PATH",
    multiple=True,
    help="Python interpreter, 3.11 or newer, that is tested in place of this one; nothing is"
    " installed there. Repeatable.",
)
@broker_option
@result_options
def command(
    names: tuple[str, ...], pool: str | None, pythons: tuple[str, ...], **options: Any
) -> None:
    """Test claims about threads, processes and coroutines; give verdicts.

    Each claim has an experiment of 1 to 4 s. Its verdict is: holds, does not hold, depends on, or
    not distinguishable. A claim that cannot be tested here says so, and is not counted.
    """
    if pool and pythons:
        raise UsageError(f"--on {pool} and --python exclude each other; give one")
    settings = settings_from(options)
    output = Output.from_options(options)
    if output.format == "trace":
        trace.refuse("file of claims")
    claims_options = ClaimsOptions(names or NAMES, probe_all(pythons), pool)
    if not claims_options.texts:
        raise UsageError(f"{names[0]} measures Celery, which --python does not; leave --python out")
    with output.keeping_incomplete() as keep, steps(claims_options.steps) as report_step:
        tested = measure_claims(claims_options, settings, report_step, keep)
    output.write(tested)
