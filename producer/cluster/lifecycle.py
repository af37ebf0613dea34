"""Starts and stops local clusters.

A cluster of ``producer up`` keeps running; its files are in the state directory. A temporary
cluster has a private directory and ends with the producer.
"""

import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psutil

from poolrace.producer.broker.client import REDIS_PORT
from poolrace.producer.cluster.config_files import (
    DEFAULT_LARGEST_VALUE,
    REDIS_CONF,
    SUPERVISORD_CONF,
    ClusterSpec,
    cluster_programs,
    redis_conf,
    supervisor_command,
    supervisord_conf,
)
from poolrace.producer.cluster.flower import FLOWER_PORT, flower_url
from poolrace.producer.cluster.ports import LOOPBACK, free_port, is_free
from poolrace.producer.cluster.redis_binary import redis_server
from poolrace.producer.cluster.state import (
    Cluster,
    cluster_directory,
    read_state,
    write_private,
    write_state,
)
from poolrace.producer.processes.die_with_parent import die_with_parent_command
from poolrace.producer.processes.guard import start_guarded
from poolrace.producer.processes.polling import poll_until
from poolrace.producer.processes.session import end
from poolrace.producer.settings import Settings
from poolrace.workers.capacity import Demand, require_capacity, worker_demand
from poolrace.workers.errors import ClusterError, UsageError
from poolrace.workers.settings import inherited_environment, mask

START_S = 60.0
"""Seconds within which all parts of a new cluster must answer; they take 3 to 5 s on two cores."""

STOP_S = 4
"""Seconds that programs of a lasting cluster have to stop after SIGTERM, before SIGKILL; enough to
finish a chunk of the default schedule."""

STOP_TEMPORARY_S = 1
"""Seconds that programs of a temporary cluster have to stop after SIGTERM, before SIGKILL."""

SUPERVISOR_STOP_S = STOP_S + 2.0
"""Seconds that the supervisor has to stop all programs, before it is killed."""


def up(settings: Settings, pools: Mapping[str, int], flower_port: int | None) -> Cluster:
    """Start a cluster that keeps running; raises ``UsageError`` if there is one already.

    If the settings name a broker on this machine, the cluster gets that address, so that every
    command finds it.
    """
    _require_capacity(pools)
    directory = _make_directory(settings)
    try:
        url = _local_address(settings.broker_url) if settings.broker_url else _new_address()
        spec = ClusterSpec(
            directory=directory,
            url=url,
            pools=pools,
            hosts=[settings.host],
            flower_port=_flower_port(flower_port),
            stop_s=STOP_S,
            durable=True,
        )
        cluster, environment = _prepare(settings, spec)
        supervisor = _start_supervisor(directory, environment)
        cluster = _with_session(cluster, supervisor.pid)
        write_state(cluster)
        _wait_until_ready(cluster, lambda: supervisor.poll() is not None)
    except BaseException:
        down(settings)
        raise
    return cluster


def down(settings: Settings) -> Cluster | None:
    """Stop the local cluster, running or broken, and return it; ``None`` if there is none."""
    cluster = read_state(settings)
    if cluster is not None:
        end(cluster.session, cluster.session, Path(cluster.directory), SUPERVISOR_STOP_S)
    shutil.rmtree(cluster_directory(settings), ignore_errors=True)
    with suppress(OSError):
        settings.state_dir.rmdir()
    return cluster


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
    _require_capacity(pools, hosts)
    # The guard removes the directory if this process is killed, the context otherwise.
    with TemporaryDirectory(prefix="poolrace-", ignore_cleanup_errors=True) as name:
        spec = ClusterSpec(
            directory=Path(name).resolve(),
            url=_new_address(),
            pools=pools,
            hosts=[settings.host] if hosts == 1 else [f"host-{n}" for n in range(1, hosts + 1)],
            flower_port=free_port() if flower else None,
            stop_s=STOP_TEMPORARY_S,
            durable=False,
            largest_value=largest_value,
        )
        with _run_guarded(settings, spec) as cluster:
            yield cluster


def _require_capacity(pools: Mapping[str, int], hosts: int = 1) -> None:
    """Raise ``UsageError`` for more workers or slots than this machine can hold."""
    demands = (worker_demand(pool, slots, hosts) for pool, slots in pools.items())
    names = ", ".join(f"{pool}:{slots}" for pool, slots in pools.items())
    on_hosts = f" on {hosts:,} hosts" if hosts > 1 else ""
    require_capacity(f"a cluster of {names}{on_hosts}", sum(demands, Demand()))


@contextmanager
def _run_guarded(settings: Settings, spec: ClusterSpec) -> Iterator[Cluster]:
    """Run a cluster whose supervisor has a guard, which ends it when this process ends.

    If the guard is killed, the kernel ends the supervisor.
    """
    cluster, environment = _prepare(settings, spec)
    directory = spec.directory
    command = die_with_parent_command(supervisor_command(directory))
    supervisor = start_guarded(command, directory, cwd=directory, environment=environment)
    try:
        cluster = _with_session(cluster, supervisor.guard_pid)
        _wait_until_ready(cluster, lambda: supervisor.ended)
        yield cluster
    finally:
        supervisor.stop()


def _make_directory(settings: Settings) -> Path:
    """Make the directory of a cluster that keeps running; raises ``UsageError`` if it exists."""
    directory = cluster_directory(settings)
    try:
        directory.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise UsageError(
            f"a local cluster exists already, in {directory}; first: producer down"
        ) from None
    except OSError as error:
        raise UsageError(f"cannot make {directory}: {error.strerror}") from error
    return directory


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
        raise UsageError(f"--flower-port {given} is taken; give another one or leave it out")
    return free_port()


def _prepare(settings: Settings, spec: ClusterSpec) -> tuple[Cluster, dict[str, str]]:
    """Write the configuration; returns the cluster and the environment of its processes."""
    directory = spec.directory
    programs = cluster_programs(spec, redis_server())
    write_private(directory / REDIS_CONF, redis_conf(spec))
    write_private(directory / SUPERVISORD_CONF, supervisord_conf(spec, programs))
    login = settings.flower_login or f"poolrace:{secrets.token_urlsafe(12)}"
    cluster = Cluster(
        directory=str(directory),
        session=0,
        began=0.0,
        broker_url=spec.url,
        pools=dict(spec.pools),
        hosts=len(spec.hosts),
        flower_url=flower_url(spec.flower_port) if spec.flower_port else None,
        flower_login=login if spec.flower_port else None,
    )
    environment = inherited_environment(
        CELERY_BROKER_URL=spec.url,
        CELERY_RESULT_BACKEND=spec.url,
        FLOWER_BASIC_AUTH=login,
        TMPDIR=str(directory),  # files that a killed worker leaves are removed with the cluster
    )
    return cluster, environment


def _start_supervisor(directory: Path, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """Start the supervisor in a session of its own, out of reach of the terminal's Ctrl-C."""
    return subprocess.Popen(
        supervisor_command(directory),
        cwd=directory,
        env=environment,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _with_session(cluster: Cluster, session: int) -> Cluster:
    """Add the session, and the start time of its first process, to the cluster."""
    return replace(cluster, session=session, began=psutil.Process(session).create_time())


def _wait_until_ready(cluster: Cluster, has_ended: Callable[[], bool]) -> None:
    """Wait until all parts answer; raises ``ClusterError`` after ``START_S`` or an early end."""
    missing: list[str] = []

    def ready_or_ended() -> bool:
        missing[:] = cluster.broken_parts()
        return not missing or has_ended()

    poll_until(ready_or_ended, START_S)
    if missing:
        raise ClusterError(
            f"the local cluster did not start; missing: {', '.join(missing)};"
            f" last log lines: {_last_log_lines(Path(cluster.directory))}"
        )


def _last_log_lines(directory: Path) -> str:
    """The last line that each program logged, without passwords."""
    lines = []
    for log in sorted(directory.glob("*.log")):
        last = log.read_text(errors="replace").strip().splitlines()[-1:]
        lines += [f"{log.stem}: {mask(line)}" for line in last]
    return "; ".join(lines) or "none"
