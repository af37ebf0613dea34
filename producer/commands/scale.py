"""``producer scale``."""

from typing import Any

import click

from poolrace.producer.commands.options import (
    Numbers,
    job_from,
    job_options,
    model_from,
    model_options,
    outcome_options,
    schedule_from,
    settings_from,
)
from poolrace.producer.commands.output import Outcome
from poolrace.producer.experiments.scaling import ScaleOptions, scale_plan


@click.command()
@job_options
@model_options
@click.option(
    "--hosts", metavar="N,N,...", type=Numbers(least=1), help="Numbers of hosts of the pool."
)
@click.option("--slots", metavar="N,N,...", type=Numbers(least=1), help="Numbers of slots instead.")
@outcome_options
def command(
    hosts: tuple[int, ...] | None, slots: tuple[int, ...] | None, repeat: int, **options: Any
) -> None:
    """Run WORKLOAD on ever more hosts or slots, and tell what each of them adds.

    Fits the Universal Scalability Law and says what ten times as many would give. By default
    it takes the hosts of the pool that are there, or the slots if there is one host; without a
    cluster it starts one whose hosts are workers of this machine with one slot each.
    """
    job, model, schedule = job_from(options), model_from(options), schedule_from(options)
    wish, settings = (
        ScaleOptions(job, model, hosts, slots, schedule, repeat),
        settings_from(options),
    )
    Outcome.from_options(options).of(scale_plan(wish, settings), settings)
