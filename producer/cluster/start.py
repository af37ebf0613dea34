"""Starts the processes of a local cluster, and removes all of them when a start fails."""

import errno
import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil

from poolrace.producer.cluster.config_files import (
    REDIS_CONF,
    SUPERVISORD_CONF,
    ClusterSpec,
    cluster_programs,
    redis_conf,
    supervisor_command,
    supervisord_conf,
)
from poolrace.producer.cluster.flower import flower_url
from poolrace.producer.cluster.hosts import make_library
from poolrace.producer.cluster.redis_binary import redis_server
from poolrace.producer.cluster.state import STATE_FILE, Cluster, write_private, write_state
from poolrace.producer.processes.die_with_parent import die_with_parent_command
from poolrace.producer.processes.guard import GuardedProcess, start_guarded
from poolrace.producer.processes.polling import poll_until
from poolrace.producer.settings import FLOWER_PREFIX, Settings
from poolrace.workers.errors import ClusterError, UsageError
from poolrace.workers.settings import inherited_environment, mask

START_S = 60.0
"""Seconds within which all parts of a new cluster must answer; they take 3 to 5 s on two cores."""

START_WORKER_S = 2.0
"""Seconds that are added for each worker, which takes 1 to 1.5 CPU seconds to start."""

START_ATTEMPTS = 3
"""Number of times that a cluster is started while other programs take its ports."""


class _DirectoryExists(UsageError):
    """The directory of the cluster belongs to another cluster."""


class _PortTaken(ClusterError):
    """Another program took a port of the cluster before the cluster listened on it."""


def start(
    settings: Settings, directory: Path, make_spec: Callable[[], ClusterSpec], state_file: str = ""
) -> tuple[Cluster, GuardedProcess]:
    """Start a cluster; if another program takes one of its ports meanwhile, start it again.

    ``make_spec`` chooses ports that are free at the moment. After an error nothing is left.
    """
    attempts = START_ATTEMPTS
    while True:
        try:
            return _try_start(settings, directory, make_spec, state_file)
        except _PortTaken:
            attempts -= 1
            if not attempts:
                raise


def _try_start(
    settings: Settings, directory: Path, make_spec: Callable[[], ClusterSpec], state_file: str
) -> tuple[Cluster, GuardedProcess]:
    """Start a cluster whose supervisor has a guard, which ends it when this process ends.

    If the guard is killed, the kernel ends the supervisor. With a ``state_file`` the cluster
    outlives this process.
    """
    supervisor: GuardedProcess | None = None
    try:
        _make_directory(directory)
        cluster, environment = _prepare(settings, make_spec())
        supervisor = _start_supervisor(directory, environment, state_file)
        cluster = _with_session(cluster, supervisor.guard_pid)
        if state_file:
            write_state(cluster)
        _wait_until_ready(cluster, supervisor)
    except _DirectoryExists:
        raise
    except BaseException:
        discard(directory, supervisor)
        raise
    return cluster, supervisor


def discard(directory: Path, supervisor: GuardedProcess | None, *, kill: bool = False) -> None:
    """End the cluster and remove its directory; ``kill``: by SIGKILL at once."""
    if supervisor:
        (directory / STATE_FILE).unlink(missing_ok=True)
        supervisor.release(kill=kill)
        supervisor.stop()
    # The guard has removed the directory, unless the guard was killed or never started.
    shutil.rmtree(directory, ignore_errors=True)


def _make_directory(directory: Path) -> None:
    """Make the directory of a cluster, for this user only."""
    try:
        directory.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise _DirectoryExists(
            f"a local cluster exists already, in {directory}; first: producer down"
        ) from None
    except OSError as error:
        raise UsageError(f"cannot make {directory}: {error.strerror}") from error


def _prepare(settings: Settings, spec: ClusterSpec) -> tuple[Cluster, dict[str, str]]:
    """Write the configuration; returns the cluster and the environment of its processes."""
    directory = spec.directory
    _write_files(spec)
    login = settings.flower_login or f"poolrace:{secrets.token_urlsafe(12)}"
    cluster = Cluster(
        directory=str(directory),
        session=0,
        began=0.0,
        broker_url=spec.url,
        pools=dict(spec.pools),
        hosts=len(spec.hosts),
        interpreters=dict(spec.interpreters),
        left_out=dict(spec.left_out),
        flower_url=(
            flower_url(spec.flower_port, settings.flower_variables) if spec.flower_port else None
        ),
        flower_login=login if spec.flower_port else None,
    )
    inherited = {
        name: value
        for name, value in inherited_environment().items()
        if not name.startswith(FLOWER_PREFIX)  # an empty one would end Flower
    }
    environment = {
        **inherited,
        **settings.flower_variables,
        "CELERY_BROKER_URL": spec.url,
        "CELERY_RESULT_BACKEND": spec.url,
        "FLOWER_BASIC_AUTH": login,
        "TMPDIR": str(directory),  # files that a killed worker leaves are removed with the cluster
    }
    return cluster, environment


def _write_files(spec: ClusterSpec) -> None:
    """Write the configuration files."""
    programs = cluster_programs(spec, redis_server())
    try:
        if spec.interpreters:
            make_library(spec.directory)
        write_private(spec.directory / REDIS_CONF, redis_conf(spec))
        write_private(spec.directory / SUPERVISORD_CONF, supervisord_conf(spec, programs))
    except UnicodeEncodeError as error:
        raise UsageError(
            f"the path {str(spec.directory)!a} is not UTF-8, or that of Python is not;"
            " set POOLRACE_STATE_DIR and TMPDIR to other directories"
        ) from error
    except OSError as error:
        raise ClusterError(f"cannot write into {spec.directory}: {error.strerror}") from error


def _start_supervisor(
    directory: Path, environment: dict[str, str], state_file: str
) -> GuardedProcess:
    """Start the supervisor under its guard."""
    command = die_with_parent_command(supervisor_command(directory))
    try:
        with (directory / "start.log").open("ab") as log:
            return start_guarded(
                command,
                directory,
                cwd=directory,
                environment=environment,
                log=log,
                state_file=state_file,
            )
    except OSError as error:
        raise ClusterError(f"the local cluster did not start: {error}") from error


def _with_session(cluster: Cluster, session: int) -> Cluster:
    """Add the session, and the start time of its first process, to the cluster."""
    return replace(cluster, session=session, began=psutil.Process(session).create_time())


def _wait_until_ready(cluster: Cluster, supervisor: GuardedProcess) -> None:
    """Wait until all parts answer.

    Raises ``ClusterError`` after the time to start or an early end, ``_PortTaken`` if another
    program took a port.
    """
    directory = Path(cluster.directory)
    missing: list[str] = []

    def ready_or_failed() -> bool:
        missing[:] = cluster.broken_parts()
        return not missing or supervisor.ended or _port_is_taken(directory)

    poll_until(ready_or_failed, START_S + START_WORKER_S * cluster.workers.total())
    if missing:
        error = _PortTaken if _port_is_taken(directory) else ClusterError
        raise error(
            f"the local cluster did not start; missing: {', '.join(missing)};"
            f" last log lines: {_last_log_lines(directory)}"
        )


def _port_is_taken(directory: Path) -> bool:
    """Whether a program of the cluster logged that another program listens on its port."""
    message = os.strerror(errno.EADDRINUSE)
    return any(message in log.read_text(errors="replace") for log in directory.glob("*.log"))


def _last_log_lines(directory: Path) -> str:
    """The last line that each program logged, without passwords."""
    lines = []
    for log in sorted(directory.glob("*.log")):
        last = log.read_text(errors="replace").strip().splitlines()[-1:]
        lines += [f"{log.stem}: {mask(line)}" for line in last]
    return "; ".join(lines) or "none"
