"""``python -m poolrace.workers POOL``: starts the Celery worker of a pool.

This process replaces itself by Celery's own command line and never runs a worker itself: gevent
has to patch the standard library before anything else is imported, and Celery does so only when
its command line has ``--pool gevent``.
"""

import os
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import click
import redis

from poolrace.workers.capacity import require_capacity, worker_demand
from poolrace.workers.command_line import worker_command
from poolrace.workers.container_name import container_name
from poolrace.workers.errors import ClusterError, PoolraceError
from poolrace.workers.pools import POOLS
from poolrace.workers.runtime.names import reserve_host
from poolrace.workers.settings import WorkerSettings, inherited_environment, mask

RETRY_S = 1.0
"""Seconds between two attempts to reach Redis; a worker waits for its broker without a limit."""

TIMEOUT_S = 4.0
"""Seconds to wait for a connection to Redis, or for the reply to one command."""

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
        demand_of = partial(worker_demand, pool)
        require_capacity(f"{pool}:{number}", number, "slots", demand_of)
    host = _reserved_host(pool, _host(settings), settings, settings.broker_url)
    return worker_command(pool, number, host, log_level), host


def _reserved_host(pool: str, name: str, settings: WorkerSettings, url: str) -> str:
    """The host's name, with a number behind it if another worker of the pool has this name."""
    trust = {"ssl_ca_certs": str(settings.ca_file)} if url.startswith("rediss:") else {}
    options: dict[str, Any] = {"socket_timeout": TIMEOUT_S, "socket_connect_timeout": TIMEOUT_S}
    with redis.Redis.from_url(url, **options, **(trust if settings.ca_file else {})) as client:
        try:
            host = _when_connected(partial(reserve_host, client, pool, name))
        except redis.RedisError:
            return name  # Celery reports the error, and tries again
    if host != name:
        click.echo(
            f"another worker is named {pool}@{name}; this one is named {pool}@{host}."
            " POOLRACE_HOST sets the name",
            err=True,
        )
    return host


def _when_connected(reserve: Callable[[], str]) -> str:
    """Call ``reserve`` once Redis can be reached; raises an error of another kind at once."""
    while True:
        try:
            return reserve()
        except redis.AuthenticationError:
            raise
        except (redis.ConnectionError, redis.TimeoutError) as error:
            click.echo(f"waiting for Redis: {mask(str(error))}", err=True)
            time.sleep(RETRY_S)


if __name__ == "__main__":
    main(prog_name=PROGRAM)
