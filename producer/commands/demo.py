"""``producer demo``."""

import secrets
from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir

import click

from poolrace.producer.cluster.hosts import unusable_here
from poolrace.producer.cluster.text import program_name
from poolrace.producer.commands.compare import models_named
from poolrace.producer.commands.help import Command
from poolrace.producer.commands.invocation import invocation
from poolrace.producer.commands.options import Count
from poolrace.producer.commands.output import Output
from poolrace.producer.commands.terminal import wide_option
from poolrace.producer.experiments.plans import Case, Plan, supported_plan
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import AUTO
from poolrace.producer.program import examples
from poolrace.producer.settings import Settings
from poolrace.workers.workloads import make_workload

MODELS = ("all:2",)
"""Every model, with two slots where it can have two: as many as the smallest machine has cores."""

RESULTS, REPORT = Path("results.json"), Path("report.html")


@click.command(cls=Command, epilog=examples("demo", "demo --stop 1e6 --repeat 1"))
@click.option(
    "--stop",
    type=Count(least=1),
    default="100_000_000",
    show_default=True,
    help="Index after the last one.",
)
@click.option(
    "--repeat", type=Count(least=1), default="3", show_default=True, help="Runs of each model."
)
@wide_option
def command(stop: int, repeat: int, *, wide: bool) -> None:
    """Compare all models on the sum of range(0, 100_000_000).

    It takes about two minutes on two cores. The command always starts a temporary cluster with
    Flower, and stops it afterwards. It writes results.json and report.html into the current
    directory.
    """
    job = Job(make_workload("sum", {}), 0, stop)
    plan = Plan(job, [Case(model, AUTO) for model in models_named(MODELS, MODELS)], repeat)
    output = Output(RESULTS, REPORT, as_json=False, wide=wide, invocation=invocation())
    settings = replace(
        Settings.from_env(),
        broker_url=None,
        result_backend=None,
        state_dir=Path(gettempdir()) / secrets.token_hex(8),  # no local cluster is there
    )
    plan = supported_plan(plan, unusable_pools=unusable_here(plan.pools()))
    output.run_plan(plan, settings, flower=True)
    click.echo(
        f"\nraw values: {RESULTS}    page: {REPORT}\n"
        "to keep a cluster running and watch it in Flower:"
        f" {program_name()} up; then {program_name()} run sum --pool gevent"
    )
