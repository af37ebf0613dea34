"""``producer cancel``."""

import click

from poolrace.producer.commands.options import broker_option, example
from poolrace.producer.experiments.saved_jobs import cancel
from poolrace.producer.settings import Settings


@click.command(epilog=example("cancel 3f9c2a7be810"))
@click.argument("job", metavar="JOB")
@broker_option
def command(job: str, broker: str | None) -> None:
    """Cancel JOB: remove its queued chunks, and stop its running ones.

    A running chunk stops within about a second. The producer that runs the job ends with exit
    code 1.
    """
    removed = cancel(job, Settings.from_env(broker))
    click.echo(f"job {job} is cancelled; {removed} queued chunk(s) were removed")
