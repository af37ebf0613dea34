"""``producer down``."""

import click

from poolrace.producer.cluster.lifecycle import down
from poolrace.producer.commands.help import Command
from poolrace.producer.program import examples
from poolrace.producer.settings import Settings


@click.command(cls=Command, epilog=examples("down"))
def command() -> None:
    """Stop the local cluster, even a damaged one; remove its files."""
    cluster = down(Settings.from_env())
    click.echo("the local cluster is stopped" if cluster else "no local cluster was running")
