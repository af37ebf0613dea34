"""Measures runs on several worker hosts: containers with a CPU quota of a fifth of a core.

Redis is a container on the same network, without a quota. The producer runs outside, and connects
to Redis through a port on loopback. All containers are removed afterwards.
"""

import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.poolrace_only import Values, require_exact
from benchmarks.services import ROOT
from poolrace.producer.cluster.ports import LOOPBACK, free_port
from poolrace.producer.executors.models import Model
from poolrace.producer.experiments.compare import measured_runs
from poolrace.producer.experiments.plans import hosts_plan
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import AUTO
from poolrace.producer.settings import Settings
from poolrace.workers.errors import ClusterError
from poolrace.workers.settings import inherited_environment
from poolrace.workers.workloads import make_workload

PROJECT = "poolrace-bench"
"""Name of the Compose project and of its image."""

START_S = 240
"""Seconds within which all hosts must be healthy; eight hosts of a fifth of a core take 40."""


def engine_missing() -> str | None:
    """Reason why containers cannot be started, with advice; ``None`` if they can."""
    try:
        version = _docker("version", "--format", "{{.Server.Version}}")
    except FileNotFoundError:
        return "there is no docker command; install Docker with its compose plugin"
    if version.returncode:
        return "no Docker engine answers; start one: sudo systemctl start docker"
    return None


def run_on_hosts(numbers: Sequence[int], stop: int, repeat: int) -> Values:
    """Measure the sum on each number of hosts, in turn: returns host-seconds by ``hosts NUMBER``.

    The containers of the largest number run all the time; those that a run does not need pause.
    Raises ``ValueError`` for a wrong sum, ``ClusterError`` if the containers do not start.
    """
    with _cluster(max(numbers)) as settings:
        return host_seconds(settings, numbers, stop, repeat)


def host_seconds(settings: Settings, numbers: Sequence[int], stop: int, repeat: int) -> Values:
    """Measure the sum on each number of hosts of a running cluster, in turn."""
    job = Job(make_workload("sum", {}), 0, stop)
    plan = hosts_plan(job, Model("celery", "prefork"), numbers, AUTO, repeat)
    values: Values = {f"hosts {number}": [] for number in numbers}
    for run, _ in measured_runs(plan, settings):
        require_exact(run)
        values[f"hosts {run.hosts}"].append(run.elapsed_s * run.hosts)
    return values


@contextmanager
def _cluster(hosts: int) -> Iterator[Settings]:
    password, port = secrets.token_urlsafe(24), free_port()
    environment = inherited_environment(
        POOLRACE_IMAGE=PROJECT,  # leaves the image of `make up` as it is
        POOLRACE_REDIS_PASSWORD=password,
        POOLRACE_REDIS_PORT=str(port),
        FLOWER_BASIC_AUTH="nobody:starts-it",
    )
    try:
        _compose(environment, "build", "--quiet", "prefork")
        _compose(
            environment, "up", "--detach", "--no-build", "--wait", "--wait-timeout", str(START_S),
            "--scale", f"prefork={hosts}", "redis", "prefork",
        )  # fmt: skip
        url = f"redis://:{password}@{LOOPBACK}:{port}/0"
        yield Settings(broker_url=url, lasting=False)
    finally:
        _compose(environment, "down", "--volumes", "--timeout", "5")


def _compose(environment: dict[str, str], *arguments: str) -> None:
    files = ("-f", "docker-compose.yml", "-f", "benchmarks/compose.hosts.yml")
    finished = _docker("compose", "-p", PROJECT, *files, *arguments, env=environment)
    if finished.returncode:
        last_line = "".join(finished.stderr.strip().splitlines()[-1:])
        raise ClusterError(f"docker compose {arguments[0]} failed: {last_line}")


def _docker(
    *arguments: str, env: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    command = ["docker", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=2 * START_S
    )
