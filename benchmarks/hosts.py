"""Hosts that have a fifth of a core each: containers of docker-compose.yml with a CPU quota.

Redis is a container too, on the same network of their own, without a quota; the producer runs
here, and reaches it through a port on loopback. All of it ends with the context.
"""

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.own import Values
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
START_S = 240
"""Seconds until all hosts must be healthy; eight of a fifth of a core take 40."""


def engine_missing() -> str | None:
    """Why there can be no containers, with the way out; ``None`` if there can."""
    try:
        answer = _docker("version", "--format", "{{.Server.Version}}")
    except FileNotFoundError:
        return "there is no docker command; install Docker with its compose plugin"
    if answer.returncode:
        return "no Docker engine answers; start one: sudo systemctl start docker"
    return None


def scaled(hosts: int, stop: int) -> Values:
    """Seconds for the sum on so many hosts, and host-seconds: what one host would need.

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
        POOLRACE_IMAGE=PROJECT,  # whoever uses the image of `make up` meanwhile keeps it
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
    done = _docker("compose", "-p", PROJECT, *files, *arguments, env=environment)
    if done.returncode:
        words = done.stderr.strip().splitlines()[-1:]
        raise ClusterError(f"docker compose {arguments[0]} failed: {' '.join(words)}")


def _docker(
    *arguments: str, env: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    command = ["docker", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=2 * START_S
    )
