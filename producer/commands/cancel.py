"""``producer cancel``."""

import click

from poolrace.producer.commands.completion import complete_jobs
from poolrace.producer.commands.help import Command
from poolrace.producer.commands.options import broker_option
from poolrace.producer.experiments.saved_jobs import UNFINISHED, cancel
from poolrace.producer.program import examples
from poolrace.producer.settings import Settings


@click.command(cls=Command, epilog=examples("cancel 3f9c2a7be810"))
@click.argument(
    "job",
    metavar="JOB",
    help="Id of the job, as 'producer jobs' lists it.",
    shell_complete=complete_jobs(UNFINISHED),
)
@broker_option
def command(job: str, broker: str | None) -> None:
    """Cancel JOB: remove its queued chunks, stop its running ones.

    A running chunk stops within about a second. The producer that runs the job ends with exit
    code 1.
    """
    removed = cancel(job, Settings.from_env(broker))
    click.echo(f"job {job} is cancelled; {removed} queued chunk(s) were removed")
