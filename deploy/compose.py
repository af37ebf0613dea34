"""Calls ``docker`` and ``docker compose`` for the cluster of docker-compose.yml.

Holds nothing that docker-compose.yml says.
"""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from env_file import ENV_FILE, PROJECT, ROOT, SECRETS, project_name
from poolrace.producer.environment import commit_of
from poolrace.workers.errors import ClusterError, PoolraceError, UsageError
from poolrace.workers.settings import inherited_environment
from published_ports import taken_ports

DOCKER, LOCAL = "docker", "local"

PROJECT_LABEL = "com.docker.compose.project"
DIRECTORY_LABEL = f"{PROJECT_LABEL}.working_dir"

CLEAR_LINE = b"\x1b[2K"
"""Terminal sequence before each log line of Compose 2.26, also with ``--no-color`` and without a
terminal."""

HEALTHY_S = 120
"""Seconds until all containers must be healthy; they take 15 s on two cores."""


@dataclass(frozen=True)
class Container:
    """A container of the cluster: its name, health and published ports."""

    name: str
    status: str
    """State and health as docker words them, such as ``Up 2 minutes (healthy)``."""
    healthy: bool
    ports: frozenset[int]
    """TCP ports of this machine that the container publishes."""

    @property
    def host(self) -> str:
        """Name of this host in results: the container's name without that of the project."""
        return self.name.removeprefix(f"{project_name()}-")

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
    # For the image's labels.
    variables = {
        "POOLRACE_VERSION": version("poolrace"),
        "POOLRACE_REVISION": commit_of(ROOT) or "",
    }
    if _compose_code("build", "--quiet", "producer", variables=variables):
        raise PoolraceError("the image cannot be built, see above; no container was started")


def start(variables: Mapping[str, str]) -> None:
    """Start all containers and wait until they are healthy.

    ``variables`` are those of ``.env``. A first start that fails or is interrupted leaves nothing
    behind.
    """
    is_first = not containers()
    volumes = _captured("docker", "volume", "ls", "-q", "--filter", _project_filter())
    has_data = bool(volumes.stdout.strip())
    try:
        _start_containers(variables)
    except BaseException:
        if is_first:
            _compose_code(*_down_arguments(keep_data=has_data))
        raise


def stop(*, keep_data: bool) -> None:
    """Remove all containers and networks and, unless ``keep_data``, the volume of Redis."""
    compose(*_down_arguments(keep_data=keep_data))


def log_lines(service: str | None) -> Iterator[bytes]:
    """The logs of a service, or of all services.

    Raises ``UsageError`` for an unknown service, ``ClusterError`` if logs cannot be read.
    """
    services = config()["services"]
    if service and service not in services:
        raise UsageError(f"service {service!r} is unknown; choose {', '.join(services)}")
    command = ["docker", "compose", "logs", "--no-color", *([service] if service else [])]
    with subprocess.Popen(command, cwd=ROOT, env=_environment(), stdout=subprocess.PIPE) as reading:
        for line in reading.stdout or ():
            yield line.replace(CLEAR_LINE, b"")
    if reading.returncode:
        raise ClusterError(f"docker compose logs ended with code {reading.returncode}, see above")


def scale(pool: str, hosts: str) -> None:
    """Scale a pool to ``hosts`` healthy containers; the other services stay as they are."""
    compose("up", "--detach", "--no-build", "--no-recreate", "--no-deps", *_WAIT,
            "--scale", f"{pool}={hosts}", pool)  # fmt: skip


def containers() -> list[Container]:
    """The containers of the cluster, running or not, by name."""
    listing = ("--profile", "client", "ps", "--all", "--format", "json")
    lines = _captured("docker", "compose", *listing).stdout.splitlines()
    return sorted((_container(json.loads(line)) for line in lines), key=lambda found: found.name)


def own_ports() -> set[int]:
    """TCP ports of this machine that the containers of the cluster publish."""
    return {port for container in containers() for port in container.ports}


def config() -> dict[str, Any]:
    """docker-compose.yml with all variables resolved; it holds the passwords."""
    answer = _captured("docker", "compose", "config", "--format", "json")
    if answer.returncode:
        raise ClusterError(f"docker compose config failed: {answer.stderr.strip()}")
    resolved: dict[str, Any] = json.loads(answer.stdout)
    return resolved


def hosts_of(pool: str) -> int:
    """Number of running containers of the pool."""
    return len(_captured("docker", "compose", "ps", "--quiet", pool).stdout.split())


def require_own_project() -> None:
    """Raise ``UsageError`` if the containers of this name belong to another clone.

    The directory of a clone that was moved no longer exists: its containers remain its own.
    """
    # The image has the project's label, too, and every container made from it inherits the label.
    filters = ("--filter", _project_filter(), "--filter", f"label={DIRECTORY_LABEL}")
    template = f'{{{{.Label "{DIRECTORY_LABEL}"}}}}'
    answer = _captured("docker", "ps", "--all", *filters, "--format", template)
    for directory in map(Path, answer.stdout.splitlines()):
        if directory.exists() and directory.resolve() != ROOT:
            way_out = (
                f"give another {PROJECT}"
                if PROJECT in os.environ
                else "remove .env, which is a copy, and make up writes a new one"
            )
            raise UsageError(f"the cluster {project_name()} belongs to {directory}; {way_out}")


_WAIT = ("--wait", "--wait-timeout", str(HEALTHY_S))


def _require_compose_plugin() -> None:
    if _captured("docker", "compose", "version").returncode:
        raise ClusterError(
            "this docker has no compose plugin, version 2; install docker-compose-plugin,"
            " or: make up ENGINE=local"
        )


def _start_containers(variables: Mapping[str, str]) -> None:
    if _compose_code("up", "--detach", "--no-build", *_WAIT):
        found = containers()
        # One that ends and is started again holds its port at times, without publishing it.
        if not any(container.status.startswith(("Restarting", "Exited")) for container in found):
            own = {port for container in found for port in container.ports}
            for port in taken_ports(variables, own).values():
                raise ClusterError(
                    f"port {port} was taken while the cluster started; again: make up"
                )
        lines = [
            f"{container.name}: {container.last_log_line()}"
            for container in found
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
    return Container(
        description["Name"], description["Status"], healthy, frozenset(published) - {0}
    )


def _project_filter() -> str:
    """Docker filter for everything that belongs to this cluster."""
    return f"label={PROJECT_LABEL}={project_name()}"


def _compose_code(*arguments: str, variables: Mapping[str, str] | None = None) -> int:
    """Run ``docker compose`` with its output on the terminal; returns its exit code.

    ``variables`` are for docker-compose.yml, beside those of the environment and of ``.env``.
    """
    command = ["docker", "compose", *arguments]
    environment = {**_environment(), **(variables or {})}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def _captured(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=ROOT, env=_environment(), capture_output=True, text=True, check=False
    )


def _environment() -> dict[str, str]:
    """The environment for ``docker``: the project's name and, without a ``.env``, placeholders.

    docker-compose.yml refuses to be read without the secrets. Commands that start a container
    write ``.env`` first.
    """
    placeholders = {} if ENV_FILE.exists() else dict.fromkeys(SECRETS, "none:none")
    return inherited_environment(**placeholders, **{PROJECT: project_name()})
