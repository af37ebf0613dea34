"""``producer status``."""

import json

import click

from poolrace.producer.cluster.status import status
from poolrace.producer.cluster.text import render_status
from poolrace.producer.commands.help import Command
from poolrace.producer.commands.options import broker_option
from poolrace.producer.program import examples
from poolrace.producer.settings import Settings
from poolrace.workers.errors import ClusterError


@click.command(cls=Command, epilog=examples("status", "status --json"))
@broker_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(broker: str | None, *, as_json: bool) -> None:
    """Show the workers of a cluster, and missing parts."""
    current = status(Settings.from_env(broker))
    if as_json:
        click.echo(json.dumps(current.to_json(), indent=2))
    else:
        click.echo(render_status(current), nl=False)
    if current.missing:
        raise ClusterError(
            f"the local cluster lacks: {', '.join(current.missing)}; programs that end are started"
            " again within seconds; if not: producer down, producer up"
        )
