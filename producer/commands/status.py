"""``producer status``."""

import json

import click

from poolrace.producer.cluster.status import status
from poolrace.producer.cluster.text import render_status
from poolrace.producer.commands.options import broker_option, example
from poolrace.producer.settings import Settings
from poolrace.workers.errors import ClusterError


@click.command(epilog=example("status --json"))
@broker_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(broker: str | None, *, as_json: bool) -> None:
    """Show the workers of a cluster, and missing parts of the local cluster."""
    found = status(Settings.from_env(broker))
    click.echo(
        json.dumps(found.to_json(), indent=2) if as_json else render_status(found), nl=as_json
    )
    if found.missing:
        raise ClusterError(
            f"the local cluster lacks: {', '.join(found.missing)};"
            " it restarts what it can, else: producer down, producer up"
        )
