"""Starts and stops local clusters.

A cluster of ``producer up`` keeps running; its files are in the state directory. A temporary
cluster has a private directory and ends with the producer.
"""

import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir
from urllib.parse import urlsplit

from poolrace.producer.broker.client import REDIS_PORT
from poolrace.producer.cluster.config_files import DEFAULT_LARGEST_VALUE, ClusterSpec
from poolrace.producer.cluster.flower import FLOWER_PORT
from poolrace.producer.cluster.hosts import assign_hosts, require_pools
from poolrace.producer.cluster.ports import LOOPBACK, free_port, is_free
from poolrace.producer.cluster.start import discard, start
from poolrace.producer.cluster.state import (
    STATE_FILE,
    Cluster,
    cluster_directory,
    read_state,
)
from poolrace.producer.processes.guard import find_guard
from poolrace.producer.processes.session import end
from poolrace.producer.settings import Settings
from poolrace.workers.capacity import require_cluster
from poolrace.workers.errors import ClusterError, UsageError
from poolrace.workers.settings import mask

STOP_S = 4
"""Seconds that programs of a lasting cluster have to stop after SIGTERM, before SIGKILL; enough to
finish a chunk of the default schedule."""

STOP_TEMPORARY_S = 1
"""Seconds that programs of a temporary cluster have to stop after SIGTERM, before SIGKILL."""

SUPERVISOR_STOP_S = STOP_S + 2.0
"""Seconds that the supervisor has to stop all programs, before it is killed."""


def up(
    settings: Settings,
    pools: Mapping[str, int],
    flower_port: int | None,
    pythons: Sequence[str] = (),
) -> Cluster:
    """Start a cluster that keeps running; raises ``UsageError`` if there is one already.

    Each interpreter of ``pythons`` runs the workers of a host of its own.
    If the settings name a broker on this machine, the cluster gets that address, so that every
    command finds it. The cluster ends by itself when its state file or directory is deleted.
    """
    directory = cluster_directory(settings)
    assignment = assign_hosts(settings.host, pools, pythons)
    require_cluster(pools, len(assignment.hosts))

    def make_spec() -> ClusterSpec:
        _end_processes(find_guard(directory), directory)  # of a directory that was deleted
        return ClusterSpec(
            directory=directory,
            url=_local_address(settings.broker_url) if settings.broker_url else _new_address(),
            pools=pools,
            hosts=assignment.hosts,
            flower_port=_flower_port(flower_port or settings.flower_port),
            stop_s=STOP_S,
            durable=True,
            interpreters=assignment.interpreters,
            left_out=assignment.left_out,
        )

    try:
        cluster, supervisor = start(settings, directory, make_spec, STATE_FILE)
    except BaseException:
        with suppress(OSError):
            settings.state_dir.rmdir()
        raise
    supervisor.release()
    return cluster


def down(settings: Settings) -> bool:
    """Stop the local cluster, running or broken; returns whether there was one."""
    directory = cluster_directory(settings)
    cluster = None
    with suppress(ClusterError):  # the state file is damaged
        cluster = read_state(settings)
    session = cluster.session if cluster else find_guard(directory)
    _end_processes(session, Path(cluster.directory) if cluster else directory)
    shutil.rmtree(directory, ignore_errors=True)
    with suppress(OSError):
        settings.state_dir.rmdir()
    return session is not None


@contextmanager
def temporary(
    settings: Settings,
    pools: Mapping[str, int],
    *,
    hosts: int = 1,
    flower: bool = False,
    largest_value: str = DEFAULT_LARGEST_VALUE,
) -> Iterator[Cluster]:
    """Run a temporary cluster until the context is left, or until this process ends or is killed.

    More than one of the ``hosts`` are simulated: workers of this machine with different host
    names. Without any pool the cluster is a Redis alone, which accepts values up to
    ``largest_value``.
    """
    require_pools(pools)
    require_cluster(pools, hosts)
    directory = Path(gettempdir()).resolve() / f"poolrace-{secrets.token_hex(8)}"

    def make_spec() -> ClusterSpec:
        return ClusterSpec(
            directory=directory,
            url=_new_address(),
            pools=pools,
            hosts=[settings.host] if hosts == 1 else [f"host-{n}" for n in range(1, hosts + 1)],
            flower_port=free_port() if flower else None,
            stop_s=STOP_TEMPORARY_S,
            durable=False,
            largest_value=largest_value,
        )

    cluster, supervisor = start(settings, directory, make_spec)
    try:
        yield cluster
    finally:
        discard(directory, supervisor, kill=not pools)  # a Redis without workers has no work


def _end_processes(session: int | None, directory: Path) -> None:
    """End the processes of a cluster that keeps running, if there is one."""
    if session is not None:
        end(session, directory, SUPERVISOR_STOP_S)


def _new_address() -> str:
    """Redis URL for a new cluster: a free port on loopback, and a random password."""
    return f"redis://:{secrets.token_urlsafe(24)}@{LOOPBACK}:{free_port()}/0"


def _local_address(url: str) -> str:
    """Return ``url`` if a new Redis can listen there; raises ``UsageError`` otherwise."""
    parts = urlsplit(url)
    is_local = parts.hostname in (LOOPBACK, "localhost")
    is_plain = parts.scheme == "redis" and not parts.username and parts.password
    if not is_local or not is_plain:
        raise UsageError(
            f"CELERY_BROKER_URL or .env names another cluster, {mask(url)}, which all commands"
            " would use; unset the variable to start a local cluster"
        )
    port = parts.port or REDIS_PORT
    if not is_free(port):
        raise UsageError(
            f"port {port} of CELERY_BROKER_URL or .env is taken;"
            " end the program that uses it (make down), or name another port"
        )
    return url


def _flower_port(given: int | None) -> int:
    """Port for Flower: ``given`` if it is free; without ``given`` the default or any free port."""
    port = given or FLOWER_PORT
    if is_free(port):
        return port
    if given:
        raise UsageError(
            f"--flower-port or FLOWER_PORT {given} is taken; give another one or leave it out"
        )
    return free_port()
