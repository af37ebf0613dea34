"""``producer env``."""

import shlex

import click

from poolrace.producer.broker.client import HOW_TO_START
from poolrace.producer.cluster.state import read_state
from poolrace.producer.commands.help import Command
from poolrace.producer.program import examples
from poolrace.producer.settings import Settings
from poolrace.workers.errors import ClusterError


@click.command(cls=Command, epilog=examples("env"))
def command() -> None:
    """Print the local cluster's shell variables.

    For a shell: eval "$(producer env)". They contain the passwords of the cluster. With them
    celery, redis-cli -u "$CELERY_BROKER_URL" and other tools connect to the cluster.
    """
    cluster = read_state(Settings.from_env())
    if cluster is None:
        raise ClusterError(f"no local cluster is running here; {HOW_TO_START}")
    click.echo(f"export CELERY_BROKER_URL={shlex.quote(cluster.broker_url)}")
    click.echo(f"export CELERY_RESULT_BACKEND={shlex.quote(cluster.broker_url)}")
    if cluster.flower_url and cluster.flower_login:
        click.echo(f"export FLOWER_URL={shlex.quote(cluster.flower_url)}")
        click.echo(f"export FLOWER_BASIC_AUTH={shlex.quote(cluster.flower_login)}")
