"""``producer jobs``."""

import json

import click

from poolrace.producer.commands.help import Command
from poolrace.producer.commands.options import broker_option
from poolrace.producer.experiments.saved_jobs import render_jobs, saved_jobs
from poolrace.producer.program import examples
from poolrace.producer.settings import Settings


@click.command(cls=Command, epilog=examples("jobs", "jobs --json"))
@broker_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(broker: str | None, *, as_json: bool) -> None:
    """List the jobs saved in a cluster, with state and progress.

    A job is lost if its producer ended without saving another state.
    """
    jobs = saved_jobs(Settings.from_env(broker))
    if as_json:
        click.echo(json.dumps({"jobs": [job.to_json() for job in jobs]}, indent=2))
    else:
        click.echo(render_jobs(jobs), nl=False)
