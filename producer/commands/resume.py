"""``producer resume``."""

import click

from producer.commands.options import broker_option
from producer.commands.run import show
from producer.kept import resume
from producer.progress import bars
from workers.settings import Settings


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
