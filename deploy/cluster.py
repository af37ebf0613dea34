"""``make up, down, scale, ps, logs``: the cluster of docker-compose.yml, or the local one.

Decides which of the two, writes ``.env`` once, checks what can be checked before anything is
started, calls ``docker compose`` and says in a line what went wrong. Holds nothing that
docker-compose.yml says.
"""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from dotenv import dotenv_values

from poolrace.producer.cluster.flower import FLOWER_PORT
from poolrace.producer.cluster.lifecycle import REDIS_PORT, find
from poolrace.producer.cluster.ports import free_port, is_free
from poolrace.producer.cluster.text import next_commands
from poolrace.producer.settings import Settings
from poolrace.workers.errors import ClusterError, PoolraceError, UsageError
from poolrace.workers.pools import POOLS, pool_named
from poolrace.workers.settings import inherited_environment

ROOT = Path(__file__).resolve().parent.parent
ENV_FILE = ROOT / ".env"
DOCKER, LOCAL = "docker", "local"

LABEL = "com.docker.compose.project"
HEALTHY_S = 120
"""Seconds until all containers must be healthy; it takes 15 on two cores."""

ENV_TEXT = """\
# Written once by `make up`, read by docker compose and by producer. It holds passwords: keep
# it to yourself. To get new ones: make down, remove this file, make up.
POOLRACE_REDIS_PASSWORD={password}
POOLRACE_REDIS_PORT={redis_port}
POOLRACE_FLOWER_PORT={flower_port}
FLOWER_BASIC_AUTH={login}
CELERY_BROKER_URL=redis://:${{POOLRACE_REDIS_PASSWORD}}@127.0.0.1:${{POOLRACE_REDIS_PORT}}/0
"""

SECRETS = ("POOLRACE_REDIS_PASSWORD", "FLOWER_BASIC_AUTH")
PORTS = {"POOLRACE_REDIS_PORT": REDIS_PORT, "POOLRACE_FLOWER_PORT": FLOWER_PORT}

engine_option = click.option(
    "--engine", type=click.Choice(["", DOCKER, LOCAL]), default="", help="Force one of the two."
)


@click.group()
def main() -> None:
    """The cluster in containers, or without an engine the local one."""


@main.command()
@engine_option
def up(engine: str) -> None:
    """Start a cluster that stays, wait until all of it is healthy, say what to type next."""
    if _chosen(engine) == LOCAL:
        click.echo("no Docker engine is used: starting the local cluster", err=True)
        _producer("up")
        return
    if find(_settings()):
        raise UsageError("a local cluster is running here; first: make down")
    environment = _environment()
    _require_own_project()
    _require_free_ports(environment)
    click.echo("building the image", err=True)
    _build()
    click.echo("starting the containers", err=True)
    _start()
    click.echo(_words(environment), nl=False)


@main.command()
@engine_option
def build(engine: str) -> None:
    """Build the image and start nothing."""
    if _chosen(engine) == DOCKER:
        _build()


@main.command()
@engine_option
@click.option("--keep-data", is_flag=True, help="Keep what Redis wrote.")
def down(engine: str, *, keep_data: bool) -> None:
    """Stop whatever runs of it; leaves no container, network or volume."""
    if engine != DOCKER and find(_settings()):
        _producer("down")
        return
    if _chosen(engine) == LOCAL:
        _producer("down")
        return
    volumes = () if keep_data else ("--volumes",)
    _compose("--profile", "client", "down", "--remove-orphans", *volumes)
    click.echo("the cluster is stopped" + (", its data is kept" if keep_data else ""))


@main.command()
@engine_option
@click.argument("pool")
@click.argument("hosts")
def scale(engine: str, pool: str, hosts: str) -> None:
    """Have HOSTS worker hosts of POOL."""
    pool_named(pool)
    if not hosts.isdecimal():
        raise UsageError(f"N={hosts!r} is not a number of hosts; as in: make scale POOL={pool} N=3")
    _require_containers(engine, "scale")
    _compose("up", "--detach", "--no-build", "--no-recreate", "--no-deps", "--wait",
             "--wait-timeout", str(HEALTHY_S), "--scale", f"{pool}={hosts}", pool)  # fmt: skip
    click.echo(f"{pool}: {hosts} worker host(s)")


@main.command()
@engine_option
def ps(engine: str) -> None:
    """List the containers by the names that results give to hosts, or the local workers."""
    if _chosen(engine) == LOCAL or find(_settings()):
        _producer("status")
        return
    form = "table {{.ID}}\t{{.Name}}\t{{.Status}}\t{{.Ports}}"
    _compose("--profile", "client", "ps", "--all", "--format", form)


@main.command()
@engine_option
@click.argument("service", required=False)
def logs(engine: str, service: str | None) -> None:
    """Show what the containers, or those of SERVICE, logged."""
    _require_containers(engine, "logs")
    _compose("logs", "--no-color", *([service] if service else []))


def _chosen(engine: str) -> str:
    """The engine to use; raises ``ClusterError`` if it is forced and does not answer."""
    if engine == LOCAL:
        return LOCAL
    try:
        answer = _quiet("docker", "version", "--format", "{{.Server.Version}}")
    except FileNotFoundError:
        trouble = "there is no docker command"
    else:
        if answer.returncode == 0:
            _require_compose()
            return DOCKER
        trouble = answer.stderr.strip().splitlines()[-1]
        if "permission denied" in trouble:
            raise ClusterError(
                f"no permission to use the Docker engine: {trouble}\n"
                "become a member of its group (sudo usermod -aG docker $USER, then log in"
                " again), or: make up ENGINE=local"
            )
    if engine == DOCKER:
        raise ClusterError(
            f"no Docker engine answers: {trouble}\n"
            "start one (sudo systemctl start docker), or: make up ENGINE=local"
        )
    return LOCAL


def _require_compose() -> None:
    if _quiet("docker", "compose", "version").returncode:
        raise ClusterError(
            "this docker has no compose plugin, version 2; install docker-compose-plugin,"
            " or: make up ENGINE=local"
        )


def _require_containers(engine: str, target: str) -> None:
    if _chosen(engine) == LOCAL or find(_settings()):
        logs_of_local = _settings().state_dir / "cluster"
        raise UsageError(
            f"make {target} is for the cluster in containers; the local cluster is one host"
            f" (its logs: {logs_of_local}/*.log; more slots: producer up --pool POOL:SLOTS)"
        )


def _environment() -> dict[str, str]:
    """What ``.env`` says, written now if it is not there; raises ``UsageError`` if it is wrong."""
    if not ENV_FILE.exists():
        _write_env()
    values = {name: value for name, value in dotenv_values(ENV_FILE).items() if value}
    for name in SECRETS:
        if name not in values:
            raise _wrong(f"lacks {name}")
    if ":" not in values["FLOWER_BASIC_AUTH"]:
        raise _wrong("has a FLOWER_BASIC_AUTH that is not USER:PASSWORD")
    if set(values["POOLRACE_REDIS_PASSWORD"]) & set("\"'\\@:/?#% $"):
        raise _wrong("has a POOLRACE_REDIS_PASSWORD with a character that has a meaning in URLs")
    for name, default in PORTS.items():
        port = values.setdefault(name, str(default))
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise _wrong(f"has {name}={port}, which is no port")
    return values


def _wrong(what: str) -> UsageError:
    return UsageError(f".env {what}; mend the line, or remove .env and make up writes a new one")


def _write_env() -> None:
    redis_port, flower_port = (p if is_free(p) else free_port() for p in PORTS.values())
    text = ENV_TEXT.format(
        password=secrets.token_urlsafe(24),
        redis_port=redis_port,
        flower_port=flower_port,
        login=f"poolrace:{secrets.token_urlsafe(12)}",
    )
    draft = ENV_FILE.with_name(".env.new")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(ENV_FILE)


def _require_own_project() -> None:
    """Raise ``UsageError`` if the containers of this name belong to another directory."""
    directory = f"{LABEL}.working_dir"
    # The image carries the project's label, too, and gives it to whatever else runs from it.
    ours = ("--filter", _label(), "--filter", f"label={directory}")
    found = _quiet("docker", "ps", "--all", *ours, "--format", f'{{{{.Label "{directory}"}}}}')
    for other in set(found.stdout.splitlines()) - {str(ROOT)}:
        raise UsageError(
            f"a cluster named {_project()} runs from {other}; stop it there, or name this one:"
            " COMPOSE_PROJECT_NAME=poolrace2 make up"
        )


def _require_free_ports(environment: Mapping[str, str]) -> None:
    """Raise ``UsageError`` for a port that somebody else has."""
    ours = {port for container in _containers() for port in container.ports}
    for name in PORTS:
        port = int(environment[name])
        if port not in ours and not is_free(port):
            raise UsageError(f"port {port} is taken; write another {name} into .env")


def _build() -> None:
    if _compose("build", "--quiet", "producer", check=False):
        raise PoolraceError("the image does not build, see above; nothing was started")


def _start() -> None:
    """Start and wait; a first start that fails or is interrupted leaves nothing behind."""
    first = not _containers()
    keeps_data = bool(_quiet("docker", "volume", "ls", "-q", "--filter", _label()).stdout.strip())
    try:
        _start_containers()
    except BaseException:
        if first:
            volumes = () if keeps_data else ("--volumes",)
            _compose("--profile", "client", "down", "--remove-orphans", *volumes, check=False)
        raise


def _start_containers() -> None:
    wait = ("--wait", "--wait-timeout", str(HEALTHY_S))
    if _compose("up", "--detach", "--no-build", *wait, check=False):
        words = [f"{it.name}: {it.last_words()}" for it in _containers() if not it.well]
        raise ClusterError("\n".join(("the cluster did not become healthy, see above", *words)))


@dataclass(frozen=True)
class _Container:
    name: str
    well: bool
    ports: frozenset[int]

    def last_words(self) -> str:
        found = _quiet("docker", "logs", "--tail", "1", self.name)
        return (found.stdout + found.stderr).strip()


def _containers() -> list[_Container]:
    lines = _quiet(*_compose_command("ps", "--all", "--format", "json")).stdout.splitlines()
    return [_container(json.loads(line)) for line in lines]


def _container(told: Mapping[str, Any]) -> _Container:
    well = told["State"] == "running" and told["Health"] in ("", "healthy")
    ports = frozenset(publisher["PublishedPort"] for publisher in told["Publishers"] or ())
    return _Container(told["Name"], well, ports - {0})


def _words(environment: Mapping[str, str]) -> str:
    hosts = ", ".join(f"{pool} ({_hosts_of(pool)})" for pool in POOLS if _hosts_of(pool))
    return (
        f"a cluster of containers is running; worker hosts: {hosts}\n"
        f"Flower: http://127.0.0.1:{environment['POOLRACE_FLOWER_PORT']}"
        f" (login {environment['FLOWER_BASIC_AUTH']})\n"
        f"{next_commands('make scale POOL=gevent N=4', 'make down')}"
    )


def _hosts_of(pool: str) -> int:
    return len(_quiet(*_compose_command("ps", "--quiet", pool)).stdout.split())


def _label() -> str:
    """Selects what belongs to this cluster."""
    return f"label={LABEL}={_project()}"


def _project() -> str:
    told = _quiet(*_compose_command("config", "--format", "json"))
    return str(json.loads(told.stdout)["name"])


def _producer(command: str) -> None:
    code = subprocess.run(
        [sys.executable, "-m", "poolrace.producer", command], check=False
    ).returncode
    sys.exit(code)


def _settings() -> Settings:
    return Settings.from_env()


def _compose(*arguments: str, check: bool = True) -> int:
    """Run ``docker compose``; with ``check`` its failure ends us with its exit code."""
    code = subprocess.run(
        _compose_command(*arguments), cwd=ROOT, env=_compose_environment(), check=False
    ).returncode
    if check and code:
        raise ClusterError(f"docker compose {arguments[0]} ended with code {code}, see above")
    return code


def _compose_command(*arguments: str) -> list[str]:
    return ["docker", "compose", *arguments]


def _compose_environment() -> dict[str, str]:
    """Ours; without a ``.env`` with words in place of its secrets, for what starts nothing."""
    if ENV_FILE.exists():
        return inherited_environment()
    return inherited_environment(**dict.fromkeys(SECRETS, "none:none"))


def _quiet(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=ROOT, env=_compose_environment(), capture_output=True, text=True, check=False
    )


if __name__ == "__main__":
    os.chdir(ROOT)
    try:
        main(prog_name="make")
    except PoolraceError as error:
        click.echo(f"make: {error}", err=True)
        sys.exit(error.exit_code)
