"""``producer sweep``."""

from typing import Any

import click

from poolrace.producer.commands.help import Command
from poolrace.producer.commands.options import (
    Numbers,
    job_from,
    measuring_options,
    model_from,
    model_options,
    settings_from,
    workload_options,
)
from poolrace.producer.commands.output import Output
from poolrace.producer.commands.python_option import interpreters_from, python_option
from poolrace.producer.experiments.plans import supported_plan, sweep_plan
from poolrace.producer.program import examples


@click.command(
    cls=Command,
    epilog=examples(
        "sweep sum --stop 1e6 --local processes:2",
        "sweep sum --pool prefork --chunks 2,8,64,512 --report sweep.html",
    ),
)
@workload_options
@model_options
@click.option(
    "--chunks",
    metavar="N,N,...",
    type=Numbers(least=1),
    help="Numbers of equal chunks.  [default: from one chunk per slot to 1024]",
)
@python_option
@measuring_options
def command(chunks: tuple[int, ...] | None, repeat: int, **options: Any) -> None:
    """Run WORKLOAD in different numbers of chunks; find the best.

    Fits the cost of a chunk, and the time lost to uneven slots with too few chunks. The default
    model is Celery's prefork pool.
    """
    plan = sweep_plan(job_from(options), model_from(options), chunks, repeat)
    output = Output.from_options(options)
    plan = supported_plan(plan, interpreters_from(options))
    output.run_plan(plan, settings_from(options))
