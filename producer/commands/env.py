"""``producer env``."""

import shlex

import click

from poolrace.producer.cluster.lifecycle import require
from poolrace.producer.commands.options import example
from poolrace.producer.settings import Settings


@click.command(epilog=example("env"))
def command() -> None:
    """Print the local cluster's shell variables, for eval "$(producer env)".

    They hold its passwords. celery, redis-cli -u "$CELERY_BROKER_URL" and others then find it.
    """
    cluster = require(Settings.from_env())
    click.echo(f"export CELERY_BROKER_URL={shlex.quote(cluster.broker_url)}")
    click.echo(f"export CELERY_RESULT_BACKEND={shlex.quote(cluster.broker_url)}")
    if cluster.flower_url and cluster.flower_login:
        click.echo(f"export FLOWER_URL={shlex.quote(cluster.flower_url)}")
        click.echo(f"export FLOWER_BASIC_AUTH={shlex.quote(cluster.flower_login)}")
