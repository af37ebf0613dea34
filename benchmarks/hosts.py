"""Measures a run on several worker hosts: containers with a CPU quota of a fifth of a core.

Redis is a container on the same network, without a quota. The producer runs outside, and connects
to Redis through a port on loopback. All containers are removed afterwards.
"""

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.poolrace_only import Values
from benchmarks.services import ROOT
from poolrace.producer.cluster.ports import LOOPBACK, free_port
from poolrace.producer.executors.models import Model, make_executor
from poolrace.producer.experiments.measure import measure
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


def run_on_hosts(hosts: int, stop: int) -> Values:
    """Measure the sum on ``hosts`` hosts: returns elapsed seconds, and host-seconds.

    Raises ``ValueError`` for a wrong sum, ``ClusterError`` if the containers do not start.
    """
    with _cluster(hosts) as settings:
        job = Job(make_workload("sum", {}), 0, stop)
        executor = make_executor(Model("celery", "prefork"), job, settings)
        run = measure(job, executor, AUTO.make(stop), expected=job.expected())
    if not run.exact or run.hosts != hosts:
        raise ValueError(f"{run.value} by {run.hosts} host(s), not {run.expected} by {hosts}")
    return {"elapsed_s": [run.elapsed_s], "host_s": [run.elapsed_s * hosts]}


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
