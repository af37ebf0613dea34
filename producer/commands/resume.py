"""``producer resume``."""

import click

from poolrace.producer.commands.options import broker_option
from poolrace.producer.commands.run import show
from poolrace.producer.experiments.progress import bars
from poolrace.producer.experiments.saved_jobs import resume
from poolrace.producer.settings import Settings


@click.command()
@click.argument("job", metavar="JOB")
@broker_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(job: str, broker: str | None, *, as_json: bool) -> None:
    """Go on with JOB where its producer stopped; computes nothing twice.

    The job runs on its pool, under its schedule. 'producer jobs' lists what can be resumed.
    """
    kept = resume(job, Settings.from_env(broker))
    with bars(kept.job) as watch:
        run = kept.run(watch)
    show(run, as_json=as_json)
