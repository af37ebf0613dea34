"""``producer compare``."""

from typing import Any

import click

from poolrace.producer.cluster.resolve import unusable_pools
from poolrace.producer.commands.completion import complete_names
from poolrace.producer.commands.help import Command
from poolrace.producer.commands.options import (
    job_from,
    job_options,
    measuring_options,
    schedule_from,
    settings_from,
)
from poolrace.producer.commands.output import Output
from poolrace.producer.commands.python_option import interpreters_from, python_option
from poolrace.producer.executors.models import LOCAL_MODELS, ONE_SLOT, Model
from poolrace.producer.experiments.plans import Case, Plan, supported_plan
from poolrace.producer.program import examples
from poolrace.workers.pools import POOLS


@click.command(
    cls=Command,
    epilog=examples(
        "compare sum --local all --pool all --report report.html",
        "compare mixed --stop 50 --pool threads:8 --pool gevent:8",
        "compare sum --stop 1e6 --local all --repeat 1 --out results.json",
        "compare sum --local all --python python3.13t --python python3.14",
    ),
)
@job_options
@click.option(
    "--pool",
    "pools",
    metavar="POOL[:SLOTS]",
    multiple=True,
    shell_complete=complete_names(["all", *POOLS]),
    help=f"A Celery pool, or all: {', '.join(POOLS)}. Repeatable.",
)
@click.option(
    "--local",
    "locals_",
    metavar="MODEL[:SLOTS]",
    multiple=True,
    shell_complete=complete_names(["all", *LOCAL_MODELS]),
    help=f"A local model, or all: {', '.join(LOCAL_MODELS)}. Repeatable.",
)
@python_option
@measuring_options
@click.option("--flower", is_flag=True, help="Start Flower, too, in a temporary cluster.")
def command(
    pools: tuple[str, ...], locals_: tuple[str, ...], repeat: int, *, flower: bool, **options: Any
) -> None:
    """Run WORKLOAD under several execution models, and compare them.

    The default is all models; with --python, all local models. Without a cluster, the command
    starts a temporary one and stops it afterwards.
    """
    job, schedule = job_from(options), schedule_from(options)
    output = Output.from_options(options)
    interpreters = interpreters_from(options)
    if interpreters and not pools and not locals_:
        locals_ = ("all",)
    plan = Plan(job, [Case(model, schedule) for model in models_named(pools, locals_)], repeat)
    settings = settings_from(options)
    plan = supported_plan(plan, interpreters, unusable_pools(settings, plan.pools()))
    output.run_plan(plan, settings, flower=flower)


def models_named(pools: tuple[str, ...], locals_: tuple[str, ...]) -> list[Model]:
    """Return the models named by the options; all models if there are no options."""
    if not pools and not locals_:
        pools = locals_ = ("all",)
    return [
        *(Model.parse("local", text) for text in _expanded(locals_, list(LOCAL_MODELS))),
        *(Model.parse("celery", text) for text in _expanded(pools, list(POOLS))),
    ]


def _expanded(texts: tuple[str, ...], names: list[str]) -> list[str]:
    """Replace ``all`` and ``all:SLOTS`` by all names; models of one slot keep one slot."""
    expanded: list[str] = []
    for text in texts:
        name, colon, slots = text.partition(":")
        if name == "all":
            expanded += [each if each in ONE_SLOT else f"{each}{colon}{slots}" for each in names]
        else:
            expanded.append(text)
    return expanded
