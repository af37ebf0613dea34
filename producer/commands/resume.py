"""``producer resume``."""

import click

from poolrace.producer.commands.completion import complete_jobs
from poolrace.producer.commands.help import Command
from poolrace.producer.commands.options import broker_option
from poolrace.producer.commands.run import print_run
from poolrace.producer.experiments.progress import run_bars
from poolrace.producer.experiments.saved_jobs import RESUMABLE, resume
from poolrace.producer.program import examples
from poolrace.producer.settings import Settings


@click.command(cls=Command, epilog=examples("resume 3f9c2a7be810"))
@click.argument(
    "job",
    metavar="JOB",
    help="Id of the job, as 'producer jobs' lists it.",
    shell_complete=complete_jobs(RESUMABLE),
)
@broker_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(job: str, broker: str | None, *, as_json: bool) -> None:
    """Resume JOB from its last checkpoint.

    Indices that the checkpoint has counted are not computed again. The job keeps its pool and its
    schedule.
    """
    resumed = resume(job, Settings.from_env(broker))
    with run_bars(resumed.job) as make_observer:
        run = resumed.run(make_observer)
    print_run(run, as_json=as_json)
