"""``producer sweep``."""

from typing import Any

import click

from poolrace.producer.commands.options import (
    Numbers,
    job_from,
    model_from,
    model_options,
    outcome_options,
    settings_from,
    workload_options,
)
from poolrace.producer.commands.output import Outcome
from poolrace.producer.experiments.plans import sweep_plan


@click.command()
@workload_options
@model_options
@click.option(
    "--chunks",
    metavar="N,N,...",
    type=Numbers(least=1),
    help="Numbers of equal chunks.  [default: from a chunk a slot to 1024]",
)
@outcome_options
def command(chunks: tuple[int, ...] | None, repeat: int, **options: Any) -> None:
    """Cut WORKLOAD into ever more chunks, and find out how many are best.

    Fits what a chunk costs, and what is lost when there are too few of them. Without --pool or
    --local it runs on Celery's prefork pool.
    """
    plan = sweep_plan(job_from(options), model_from(options), chunks, repeat)
    Outcome.from_options(options).of(plan, settings_from(options))
