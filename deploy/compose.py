"""Calls ``docker`` and ``docker compose`` for the cluster of docker-compose.yml.

Holds nothing that docker-compose.yml says.
"""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from env_file import ENV_FILE, PORTS, ROOT, SECRETS
from poolrace.producer.cluster.ports import is_free
from poolrace.workers.errors import ClusterError, PoolraceError, UsageError
from poolrace.workers.settings import inherited_environment

DOCKER, LOCAL = "docker", "local"

PROJECT_LABEL = "com.docker.compose.project"
DIRECTORY_LABEL = f"{PROJECT_LABEL}.working_dir"

HEALTHY_S = 120
"""Seconds until all containers must be healthy; they take 15 s on two cores."""


@dataclass(frozen=True)
class Container:
    """A container of the cluster: its name, health and published ports."""

    name: str
    healthy: bool
    ports: frozenset[int]
    """TCP ports of this machine that the container publishes."""

    def last_log_line(self) -> str:
        """The last line that the container logged."""
        answer = _captured("docker", "logs", "--tail", "1", self.name)
        return (answer.stdout + answer.stderr).strip()


def choose_engine(engine: str) -> str:
    """Choose the engine: ``docker`` or ``local``; empty means docker if an engine answers.

    Raises ``ClusterError`` if docker is forced and does not answer, or may not be used.
    """
    if engine == LOCAL:
        return LOCAL
    try:
        answer = _captured("docker", "version", "--format", "{{.Server.Version}}")
    except FileNotFoundError:
        problem = "there is no docker command"
    else:
        if answer.returncode == 0:
            _require_compose_plugin()
            return DOCKER
        problem = answer.stderr.strip().splitlines()[-1]
        if "permission denied" in problem:
            raise ClusterError(
                f"no permission to use the Docker engine: {problem}\n"
                "become a member of its group (sudo usermod -aG docker $USER, then log in"
                " again), or: make up ENGINE=local"
            )
    if engine == DOCKER:
        raise ClusterError(
            f"no Docker engine answers: {problem}\n"
            "start one (sudo systemctl start docker), or: make up ENGINE=local"
        )
    return LOCAL


def compose(*arguments: str) -> None:
    """Run ``docker compose``; raises ``ClusterError`` if it fails."""
    code = _compose_code(*arguments)
    if code:
        raise ClusterError(f"docker compose {arguments[0]} ended with code {code}, see above")


def build_image() -> None:
    """Build the image of workers, Flower and producer."""
    if _compose_code("build", "--quiet", "producer"):
        raise PoolraceError("the image cannot be built, see above; no container was started")


def start() -> None:
    """Start all containers and wait until they are healthy.

    A first start that fails or is interrupted leaves nothing behind.
    """
    is_first = not containers()
    volumes = _captured("docker", "volume", "ls", "-q", "--filter", _project_filter())
    has_data = bool(volumes.stdout.strip())
    try:
        _start_containers()
    except BaseException:
        if is_first:
            _compose_code(*_down_arguments(keep_data=has_data))
        raise


def stop(*, keep_data: bool) -> None:
    """Remove all containers and networks and, unless ``keep_data``, the volume of Redis."""
    compose(*_down_arguments(keep_data=keep_data))


def scale(pool: str, hosts: str) -> None:
    """Scale a pool to ``hosts`` healthy containers; the other services stay as they are."""
    compose("up", "--detach", "--no-build", "--no-recreate", "--no-deps", *_WAIT,
            "--scale", f"{pool}={hosts}", pool)  # fmt: skip


def containers() -> list[Container]:
    """The containers of the cluster, running or not."""
    lines = _captured("docker", "compose", "ps", "--all", "--format", "json").stdout.splitlines()
    return [_container(json.loads(line)) for line in lines]


def hosts_of(pool: str) -> int:
    """Number of running containers of the pool."""
    return len(_captured("docker", "compose", "ps", "--quiet", pool).stdout.split())


def require_own_project() -> None:
    """Raise ``UsageError`` if the containers of this name belong to another directory."""
    # The image has the project's label, too, and every container made from it inherits the label.
    filters = ("--filter", _project_filter(), "--filter", f"label={DIRECTORY_LABEL}")
    template = f'{{{{.Label "{DIRECTORY_LABEL}"}}}}'
    answer = _captured("docker", "ps", "--all", *filters, "--format", template)
    for directory in set(answer.stdout.splitlines()) - {str(ROOT)}:
        raise UsageError(
            f"a cluster named {_project()} runs from {directory}; stop it there, or give"
            " this one another name: COMPOSE_PROJECT_NAME=poolrace2 make up"
        )


def require_free_ports(variables: Mapping[str, str]) -> None:
    """Raise ``UsageError`` if another program uses a port that ``.env`` names."""
    own_ports = {port for container in containers() for port in container.ports}
    for name in PORTS:
        port = int(variables[name])
        if port not in own_ports and not is_free(port):
            raise UsageError(f"port {port} is taken; write another {name} into .env")


_WAIT = ("--wait", "--wait-timeout", str(HEALTHY_S))


def _require_compose_plugin() -> None:
    if _captured("docker", "compose", "version").returncode:
        raise ClusterError(
            "this docker has no compose plugin, version 2; install docker-compose-plugin,"
            " or: make up ENGINE=local"
        )


def _start_containers() -> None:
    if _compose_code("up", "--detach", "--no-build", *_WAIT):
        lines = [
            f"{container.name}: {container.last_log_line()}"
            for container in containers()
            if not container.healthy
        ]
        raise ClusterError("\n".join(("the cluster did not become healthy, see above", *lines)))


def _down_arguments(*, keep_data: bool) -> list[str]:
    volumes = [] if keep_data else ["--volumes"]
    return ["--profile", "client", "down", "--remove-orphans", *volumes]


def _container(description: Mapping[str, Any]) -> Container:
    running = description["State"] == "running"
    healthy = running and description["Health"] in ("", "healthy")
    published = (publisher["PublishedPort"] for publisher in description["Publishers"] or ())
    return Container(description["Name"], healthy, frozenset(published) - {0})


def _project_filter() -> str:
    """Docker filter for everything that belongs to this cluster."""
    return f"label={PROJECT_LABEL}={_project()}"


def _project() -> str:
    answer = _captured("docker", "compose", "config", "--format", "json")
    return str(json.loads(answer.stdout)["name"])


def _compose_code(*arguments: str) -> int:
    """Run ``docker compose`` with its output on the terminal; returns its exit code."""
    command = ["docker", "compose", *arguments]
    return subprocess.run(command, cwd=ROOT, env=_environment(), check=False).returncode


def _captured(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=ROOT, env=_environment(), capture_output=True, text=True, check=False
    )


def _environment() -> dict[str, str]:
    """The environment for ``docker``; without a ``.env``, with placeholders for the secrets.

    docker-compose.yml refuses to be read without them. Commands that start a container write
    ``.env`` first.
    """
    if ENV_FILE.exists():
        return inherited_environment()
    return inherited_environment(**dict.fromkeys(SECRETS, "none:none"))
