"""``python -m poolrace.workers POOL``: starts the Celery worker of a pool.

This process replaces itself by Celery's own command line and never runs a worker itself: gevent
has to patch the standard library before anything else is imported, and Celery does so only when
its command line has ``--pool gevent``.
"""

import os
import sys

import click

from poolrace.workers.capacity import require_workers
from poolrace.workers.command_line import worker_command
from poolrace.workers.container_name import container_name
from poolrace.workers.errors import ClusterError, PoolraceError
from poolrace.workers.pools import POOLS
from poolrace.workers.settings import WorkerSettings, inherited_environment

PROGRAM = "python -m poolrace.workers"


@click.command()
@click.argument("pool", type=click.Choice(list(POOLS)))
@click.option("--slots", type=click.IntRange(min=1), help="Number of slots.  [default: by pool]")
@click.option("--log-level", default="INFO", show_default=True, help="Celery's log level.")
def main(pool: str, slots: int | None, log_level: str) -> None:
    """Take chunks from the queue of POOL and compute them, until a signal ends the worker.

    The broker and the result backend come from CELERY_BROKER_URL and CELERY_RESULT_BACKEND.
    """
    try:
        command, host = _command(pool, slots, log_level)
    except PoolraceError as error:
        click.echo(f"{PROGRAM}: {error}", err=True)
        sys.exit(error.exit_code)
    # Celery's process reads the settings again, and must find the same host.
    environment = inherited_environment(POOLRACE_HOST=host)
    os.execve(sys.executable, command, environment)  # noqa: S606 # no shell is wanted


def _host(settings: WorkerSettings) -> str:
    """The host's name; within a cluster of containers the container's."""
    prefix = settings.container_prefix
    return (prefix and container_name(prefix)) or settings.host


def _command(pool: str, slots: int | None, log_level: str) -> tuple[list[str], str]:
    """The command line of the worker, and its host; raises ``PoolraceError`` if it cannot run."""
    settings = WorkerSettings.from_env()
    if not settings.broker_url:
        raise ClusterError(
            "no broker is given; set CELERY_BROKER_URL=redis://:PASSWORD@HOST:PORT/0"
        )
    if number := slots or settings.slots:
        require_workers(f"{pool}:{number}", pool, number)
    host = _host(settings)
    return worker_command(pool, number, host, log_level), host


if __name__ == "__main__":
    main(prog_name=PROGRAM)
