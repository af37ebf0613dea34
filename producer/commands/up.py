"""``producer up``."""

import click

from poolrace.producer.cluster.flower import FLOWER_PORT
from poolrace.producer.cluster.lifecycle import up
from poolrace.producer.cluster.text import render_started
from poolrace.producer.commands.completion import complete_names
from poolrace.producer.commands.help import Command
from poolrace.producer.executors.models import Model
from poolrace.producer.program import examples
from poolrace.producer.settings import Settings
from poolrace.workers.pools import POOLS

EXAMPLES = ("up", "up --pool prefork:2 --pool gevent:50", "up --python python3")


@click.command(cls=Command, epilog=examples(*EXAMPLES))
@click.option(
    "--pool",
    "pools",
    metavar="POOL[:SLOTS]",
    multiple=True,
    shell_complete=complete_names(POOLS),
    help=f"A pool to start workers of: {', '.join(POOLS)}. Repeatable.  [default: all]",
)
@click.option(
    "--python",
    "pythons",
    metavar="PATH",
    multiple=True,
    help="An interpreter for the workers, with celery[redis]; each has a host. Repeatable."
    "  [default: that of this program]",
)
@click.option(
    "--flower-port",
    metavar="PORT",
    type=click.IntRange(1, 65535),
    help=f"Port of Flower.  [default: {FLOWER_PORT}]",
)
def command(pools: tuple[str, ...], pythons: tuple[str, ...], flower_port: int | None) -> None:
    """Start a local cluster: Redis, a worker per pool, Flower."""
    models = [Model.parse("celery", text) for text in pools or POOLS]
    slots = {model.name: model.slots or POOLS[model.name].default_slots for model in models}
    cluster = up(Settings.from_env(), slots, flower_port, pythons)
    click.echo(render_started(cluster), nl=False)
