"""``producer down``."""

import click

from poolrace.producer.cluster.lifecycle import down
from poolrace.producer.commands.options import example
from poolrace.producer.settings import Settings


@click.command(epilog=example("down"))
def command() -> None:
    """Stop the local cluster, even a damaged one, and remove its files."""
    cluster = down(Settings.from_env())
    click.echo("the local cluster is stopped" if cluster else "no local cluster was running")
