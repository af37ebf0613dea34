"""``producer down``."""

import click

from poolrace.producer.cluster.lifecycle import down
from poolrace.producer.settings import Settings


@click.command()
def command() -> None:
    """Stop the local cluster, whole or broken, and remove what it left."""
    cluster = down(Settings.from_env())
    click.echo("the local cluster is stopped" if cluster else "no local cluster was running")
