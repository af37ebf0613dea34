"""``producer compare``."""

from typing import Any

import click

from poolrace.producer.commands.options import (
    job_from,
    job_options,
    outcome_options,
    schedule_from,
    settings_from,
)
from poolrace.producer.commands.output import Outcome
from poolrace.producer.executors.models import LOCAL_MODELS, ONE_SLOT, Model
from poolrace.producer.experiments.plans import Case, Plan
from poolrace.workers.pools import POOLS


@click.command()
@job_options
@click.option(
    "--pool",
    "pools",
    metavar="POOL[:SLOTS]",
    multiple=True,
    help=f"A Celery pool, or all: {', '.join(POOLS)}. Repeatable.",
)
@click.option(
    "--local",
    "locals_",
    metavar="MODEL[:SLOTS]",
    multiple=True,
    help=f"A local model, or all: {', '.join(LOCAL_MODELS)}. Repeatable.",
)
@outcome_options
@click.option("--flower", is_flag=True, help="Run Flower in a cluster that is started for this.")
def command(
    pools: tuple[str, ...], locals_: tuple[str, ...], repeat: int, *, flower: bool, **options: Any
) -> None:
    """Run WORKLOAD under several execution models, interleaved, and compare them.

    Without --pool or --local it compares all of them. If no cluster is there, one is started
    and stopped afterwards.
    """
    job, schedule = job_from(options), schedule_from(options)
    plan = Plan(job, [Case(model, schedule) for model in _models(pools, locals_)], repeat)
    Outcome.from_options(options).of(plan, settings_from(options), flower=flower)


def _models(pools: tuple[str, ...], locals_: tuple[str, ...]) -> list[Model]:
    if not pools and not locals_:
        pools = locals_ = ("all",)
    return [
        *(Model.parse("local", text) for text in _expanded(locals_, list(LOCAL_MODELS))),
        *(Model.parse("celery", text) for text in _expanded(pools, list(POOLS))),
    ]


def _expanded(texts: tuple[str, ...], every: list[str]) -> list[str]:
    """``all`` and ``all:SLOTS`` stand for every model, those with one slot left at it."""
    expanded: list[str] = []
    for text in texts:
        name, colon, slots = text.partition(":")
        if name == "all":
            expanded += [m if m in ONE_SLOT else f"{m}{colon}{slots}" for m in every]
        else:
            expanded.append(text)
    return expanded
