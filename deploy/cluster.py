"""``make up, down, scale, ps, logs``: starts, stops and inspects a cluster.

Each command decides whether it applies to the containers of docker-compose.yml or to the local
cluster. An error is one line on standard error.
``compose.py`` calls docker, ``env_file.py`` reads and writes ``.env``.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import NoReturn

import click

import compose
from env_file import (
    FLOWER_LOGIN,
    FLOWER_PORT_VARIABLE,
    PROJECT,
    ROOT,
    project_name,
    read_env_file,
    stored_project_name,
)
from join import JOIN_FILE, Broker, join_file, render_steps
from poolrace.producer.cluster.flower import flower_url
from poolrace.producer.cluster.state import Cluster, cluster_directory, read_state, write_private
from poolrace.producer.cluster.text import next_commands
from poolrace.producer.executors.models import Model
from poolrace.producer.settings import Settings
from poolrace.workers.capacity import Demand, require_capacity, worker_demand
from poolrace.workers.counts import parse_count
from poolrace.workers.errors import PoolraceError, UsageError
from poolrace.workers.pools import POOLS, pool_named
from published_ports import replace_taken_ports

DEFAULT_JOIN_POOLS = ("prefork",)
"""Pools of a further machine for which none is given."""

engine_option = click.option(
    "--engine",
    type=click.Choice(["", compose.DOCKER, compose.LOCAL]),
    default="",
    help="Use this engine; by default docker if an engine answers, else local.",
)


@click.group()
def main() -> None:
    """Start, stop and inspect a cluster: containers, or local processes without Docker."""


@main.command()
@engine_option
def up(engine: str) -> None:
    """Start a cluster that keeps running, wait until it is healthy, print the next commands."""
    if compose.choose_engine(engine) == compose.LOCAL:
        click.echo("no Docker engine is used: starting the local cluster", err=True)
        _run_producer("up")
    if _local_cluster():
        raise UsageError("a local cluster is running here; first: make down")
    compose.require_own_project()
    variables = read_env_file()
    for message in replace_taken_ports(variables, compose.own_ports()):
        click.echo(message, err=True)
    click.echo("building the image", err=True)
    compose.build_image()
    click.echo("starting the containers", err=True)
    compose.start(variables)
    click.echo(_render_started(variables), nl=False)


@main.command()
@engine_option
def build(engine: str) -> None:
    """Build the image, but start no container."""
    if compose.choose_engine(engine) == compose.DOCKER:
        compose.build_image()


@main.command()
@engine_option
@click.option("--keep-data", is_flag=True, help="Keep the data volume of Redis.")
def down(engine: str, *, keep_data: bool) -> None:
    """Stop the cluster and remove its containers, networks and volume."""
    if engine != compose.DOCKER and _local_cluster():
        _run_producer("down")
    if compose.choose_engine(engine) == compose.LOCAL:
        _run_producer("down")
    compose.require_own_project()
    ran = compose.containers()
    compose.stop(keep_data=keep_data)
    state = "the cluster is stopped" if ran else f"no cluster {project_name()} was running"
    click.echo(state + (", its data is kept" if keep_data else ""))


@main.command()
@engine_option
@click.argument("pools", nargs=-1)
def join(engine: str, pools: tuple[str, ...]) -> None:
    """Write a file that starts workers of POOLS (POOL[:SLOTS]) on a further machine."""
    models = [Model.parse("celery", text) for text in pools or DEFAULT_JOIN_POOLS]
    _require_containers(engine, "join")
    settings = Settings.from_env()
    broker = Broker.at(settings.broker_url, settings.ca_file)
    config = compose.config()
    write_private(JOIN_FILE, join_file(config, models, broker))
    image = config["services"][models[0].name]["image"]
    click.echo(render_steps(image, broker), nl=False)


@main.command()
@engine_option
@click.argument("pool")
@click.argument("hosts")
def scale(engine: str, pool: str, hosts: str) -> None:
    """Change the number of worker hosts of POOL to HOSTS."""
    number = parse_count(hosts)
    if number is None:
        raise UsageError(f"N={hosts!r} is not a number of hosts; write: make scale POOL={pool} N=3")
    worker = worker_demand(pool, pool_named(pool).default_slots)
    _require_containers(engine, "scale")
    running = compose.hosts_of(pool)

    def demand_of(hosts: int) -> Demand:
        return worker.times(max(0, hosts - running))

    require_capacity(f"make scale POOL={pool} N={hosts}", number, "hosts", demand_of)
    compose.scale(pool, hosts)
    click.echo(f"{pool}: {hosts} worker host(s)")


@main.command()
@engine_option
def ps(engine: str) -> None:
    """List the containers with the host names that results use, or the local workers."""
    if _is_local(engine):
        _run_producer("status")
    compose.require_own_project()
    for container in compose.containers():
        ports = ", ".join(map(str, sorted(container.ports)))
        line = f"{container.host:<16}  {container.status:<30}  {ports}"
        click.echo(line.rstrip())


@main.command()
@engine_option
@click.argument("service", required=False)
def logs(engine: str, service: str | None) -> None:
    """Show the logs of all containers, or of the containers of SERVICE."""
    _require_containers(engine, "logs")
    for line in compose.log_lines(service):
        click.echo(line, nl=False)


def _local_cluster() -> Cluster | None:
    """The local cluster that was started in this directory."""
    return read_state(Settings.from_env())


def _is_local(engine: str) -> bool:
    """Whether commands apply to the local cluster."""
    return compose.choose_engine(engine) == compose.LOCAL or _local_cluster() is not None


def _require_containers(engine: str, target: str) -> None:
    if _is_local(engine):
        log_directory = cluster_directory(Settings.from_env())
        raise UsageError(
            f"make {target} is for the cluster in containers; the local cluster is one host"
            f" (its logs: {log_directory}/*.log; more slots: producer up --pool POOL:SLOTS)"
        )
    compose.require_own_project()


def _run_producer(command: str) -> NoReturn:
    """Run a ``producer`` command, then exit with its exit code."""
    code = subprocess.run(
        [sys.executable, "-m", "poolrace.producer", command], check=False
    ).returncode
    sys.exit(code)


def _render_started(variables: Mapping[str, str]) -> str:
    """Text for a cluster of containers that was just started."""
    hosts = {pool: compose.hosts_of(pool) for pool in POOLS}
    project = project_name()
    # Without the variable, make and docker compose use the name in .env.
    make = "make" if project == stored_project_name() else f"{PROJECT}={project} make"
    listed = ", ".join(f"{pool} ({number})" for pool, number in hosts.items() if number)
    return (
        f"a cluster of containers is running; worker hosts: {listed}\n"
        f"Flower: {flower_url(variables[FLOWER_PORT_VARIABLE], {**variables, **os.environ})}"
        f" (login {variables[FLOWER_LOGIN]})\n"
        f"{next_commands(f'{make} scale POOL=gevent N=4', f'{make} down')}"
    )


if __name__ == "__main__":
    os.chdir(ROOT)
    try:
        main(prog_name="make")
    except PoolraceError as error:
        click.echo(f"make: {error}", err=True)
        sys.exit(error.exit_code)
