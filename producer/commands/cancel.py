"""``producer cancel``."""

import click

from poolrace.producer.commands.options import broker_option
from poolrace.producer.experiments.saved_jobs import cancel
from poolrace.producer.settings import Settings


@click.command()
@click.argument("job", metavar="JOB")
@broker_option
def command(job: str, broker: str | None) -> None:
    """Cancel JOB: what is queued is taken back, what runs stops.

    A running chunk stops at its next checkpoint, within about a second. The producer that runs
    the job ends with exit code 1.
    """
    taken = cancel(job, Settings.from_env(broker))
    click.echo(f"job {job} is cancelled; {taken} queued chunk(s) were taken back")
