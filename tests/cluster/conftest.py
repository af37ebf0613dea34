"""Clusters of containers, started as a user does: by the script behind ``make up``, in a copy of
the checkout whose path has a space."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from env_file import derived_project_name
from poolrace.workers.pools import POOLS
from tests.conftest import OURS, PATIENCE_S, Answer, CommandLine, wait_until

ROOT = Path(__file__).parent.parent.parent
PARTS = (
    "docker-compose.yml", "deploy", "poolrace", "workers", "producer", "pyproject.toml",
    "README.md", "LICENSE", ".dockerignore",
)  # fmt: skip

IMAGE = os.environ.get("POOLRACE_IMAGE", "poolrace-test")
"""Name of the image that ``make test-cluster`` builds."""

ONE_WORKER = {"COMPOSE_FILE": "docker-compose.yml:one-worker.yml"}
"""Variables for a cluster with a solo worker and no other, which starts and stops sooner."""

START_S = 180.0
"""Seconds for a make target to end."""


def docker(*arguments: str) -> str:
    """Standard output of a docker command that must succeed."""
    finished = subprocess.run(
        ["docker", *arguments], check=False, capture_output=True, text=True, timeout=120
    )
    assert finished.returncode == 0, finished.stderr
    return (finished.stdout + finished.stderr * (arguments[0] == "logs")).strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Deployment:
    """A copy of the checkout, and the cluster that was started from it, if any."""

    directory: Path
    before: tuple[str, ...] = ()
    """Command line put before each make target, to run it with fewer privileges."""

    @property
    def environment(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
        return {**clean, "POOLRACE_IMAGE": IMAGE}

    @property
    def project(self) -> str:
        """Compose project of this directory."""
        return derived_project_name(self.directory)

    def make(self, target: str, *arguments: str, **variables: str) -> Answer:
        """Run the command behind ``make TARGET``."""
        finished = subprocess.run(
            [*self.before, sys.executable, "deploy/cluster.py", target, *arguments],
            cwd=self.directory,
            env={**self.environment, **variables},
            check=False,
            capture_output=True,
            text=True,
            timeout=START_S,
        )
        return Answer(finished.returncode, finished.stdout, finished.stderr)

    def compose(self, *arguments: str) -> str:
        finished = subprocess.run(
            ["docker", "compose", *arguments],
            cwd=self.directory,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout.strip()

    def producer(self, *arguments: str, timeout_s: float = PATIENCE_S) -> Answer:
        """Run ``producer`` on the host; it finds the cluster by ``.env``."""
        return CommandLine(self.directory, {})(*arguments, timeout_s=timeout_s)

    @contextmanager
    def running(self, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
        """Start ``producer`` on the host; it is killed at the end of the block if it still runs."""
        command = CommandLine(self.directory, {}).start(*arguments)
        try:
            yield command
        finally:
            command.kill()
            command.communicate()

    def containers(self, service: str) -> list[str]:
        return self.compose("ps", "--quiet", service).split()

    def host(self, container: str) -> str:
        """Name of the container's host in results."""
        name = docker("inspect", "--format", "{{.Name}}", container)
        return name.removeprefix(f"/{self.project}-")

    def health(self, container: str) -> str:
        return docker("inspect", "--format", "{{.State.Health.Status}}", container)

    def env(self) -> dict[str, str]:
        """The variables in ``.env``, with references between them unexpanded."""
        lines = (self.directory / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    def broker_url(self) -> str:
        """Redis URL of the cluster, as ``producer`` reads it from ``.env``."""
        return str(dotenv_values(self.directory / ".env")["CELERY_BROKER_URL"])

    def append_to_env(self, **values: str) -> None:
        with (self.directory / ".env").open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in values.items())

    def leftovers(self, project: str | None = None) -> dict[str, str]:
        """Containers, networks and volumes of this cluster, by kind; empty if none is left."""
        label = f"label=com.docker.compose.project={project or self.project}"
        by_kind = {
            "containers": docker("ps", "--all", "--quiet", "--filter", label),
            "networks": docker("network", "ls", "--quiet", "--filter", label),
            "volumes": docker("volume", "ls", "--quiet", "--filter", label),
        }
        return {kind: names for kind, names in by_kind.items() if names}


def deploy(directory: Path) -> Deployment:
    """Copy the checkout into ``directory``; nothing is started."""
    copy = directory / "poolrace checkout"
    copy.mkdir()
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            unwanted = shutil.ignore_patterns("__pycache__", "certificates", ".env")
            shutil.copytree(source, copy / part, symlinks=True, ignore=unwanted)
        else:
            shutil.copy(source, copy / part)
    return Deployment(copy)


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Deployment]:
    """A copy of the checkout with nothing started; a cluster that a test starts there is ended."""
    deployment = deploy(tmp_path)
    none = "\n".join(f"  {pool}: {{scale: 0}}" for pool in POOLS if pool != "solo")
    (deployment.directory / "one-worker.yml").write_text(f"services:\n{none}\n")
    yield deployment
    if deployment.leftovers():
        deployment.make("down", "--engine", "docker")
    assert not deployment.leftovers()


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A running cluster of containers that the tests of the session share."""
    shared = deploy(tmp_path_factory.mktemp("deployment"))
    started = shared.make("up", "--engine", "docker")
    try:
        assert started.code == 0, started.err
        yield shared
    finally:
        shared.make("down", "--engine", "docker")
    assert not shared.leftovers()


def inspected(container: str) -> dict[str, Any]:
    """The output of ``docker inspect`` for a container."""
    [description] = json.loads(docker("inspect", container))
    checked: dict[str, Any] = description
    return checked


__all__ = ["CommandLine", "Deployment", "docker", "free_port", "inspected", "wait_until"]
