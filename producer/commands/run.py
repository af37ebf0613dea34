"""``producer run``."""

import json
from dataclasses import replace
from typing import Any

import click

from poolrace.producer.commands.help import Command
from poolrace.producer.commands.options import (
    Count,
    file_options,
    job_from,
    job_options,
    model_from,
    model_options,
    schedule_from,
    settings_from,
    time_limit_option,
)
from poolrace.producer.commands.output import Output
from poolrace.producer.commands.terminal import print_wrapped
from poolrace.producer.errors import JobFailed
from poolrace.producer.executors.models import Model
from poolrace.producer.experiments.compare import measure_once
from poolrace.producer.experiments.plans import Case, Plan
from poolrace.producer.experiments.progress import run_bars
from poolrace.producer.program import examples
from poolrace.producer.reports.views.run import render
from poolrace.producer.results.run import Run
from poolrace.workers.errors import UsageError


@click.command(
    cls=Command,
    epilog=examples(
        "run sum --stop 1e6 --pool threads",
        "run factorial --start 2 --stop 5 --local coroutines",
        "run mixed --pool gevent --slots 50 --out run.json --report run.html",
    ),
)
@job_options
@model_options
@click.option("--slots", type=Count(least=1), help="Slots of the model.  [default: by model]")
@time_limit_option
@file_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(slots: int | None, time_limit_s: float | None, **options: Any) -> None:
    """Run WORKLOAD under one execution model; print value and time.

    The default model is Celery's prefork pool. Without a cluster, the command starts a temporary
    one and stops it afterwards.
    """
    model = _with_slots(model_from(options), slots)
    if time_limit_s and model.kind == "local":
        raise UsageError(f"--time-limit {time_limit_s:g} is for Celery pools; leave it out")
    job = replace(job_from(options), time_limit_s=time_limit_s)
    plan = Plan(job, [Case(model, schedule_from(options))])
    output = Output.from_options(options)
    settings = settings_from(options)
    with run_bars(plan.job) as make_observer:
        measured = measure_once(plan, settings, make_observer=make_observer)
    output.store(measured)
    print_run(measured.run, as_json=output.as_json)


def print_run(run: Run, *, as_json: bool) -> None:
    """Print the run; raises ``JobFailed`` if it is not exact."""
    if as_json:
        click.echo(json.dumps(run.to_json(), indent=2))
    else:
        print_wrapped(render(run))
    if not run.exact:
        raise JobFailed(f"the value {run.value} is not the expected {run.expected}")


def _with_slots(model: Model, slots: int | None) -> Model:
    if slots is None:
        return model
    if model.slots is not None:
        raise UsageError(f"--slots {slots} and {model.name}:{model.slots}: give slots once")
    return Model(model.kind, model.name, slots)
