"""Starts, finds and stops the local cluster.

A cluster that stays (``producer up``) lives in the state directory and is found through the
file ``cluster.json`` in it. A temporary one lives in a directory of its own and ends with the
producer that started it.
"""

import json
import logging
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psutil
import redis

from poolrace.producer.broker.client import HOW_TO_START, REDIS_PORT, connect
from poolrace.producer.broker.workers import present_workers
from poolrace.producer.cluster.config_files import cluster_programs, redis_conf, supervisord_conf
from poolrace.producer.cluster.flower import FLOWER_PORT, answers
from poolrace.producer.cluster.ports import LOOPBACK, free_port, is_free
from poolrace.producer.cluster.redis_binary import server_binary
from poolrace.producer.processes.guard import supervisor_command
from poolrace.producer.processes.session import end
from poolrace.producer.settings import Settings
from poolrace.workers.errors import ClusterError, UsageError
from poolrace.workers.settings import inherited_environment, mask

START_S = 60.0
"""Seconds until everything must answer; it takes 3 to 5 on two cores."""

STOP_S = 4
"""Seconds for the programs to stop by themselves, enough for a chunk of the default schedule."""

POLL_S = 0.05

STATE_FILE = "cluster.json"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cluster:
    """A local cluster as its state file describes it."""

    directory: str
    session: int
    """The session that all of its processes share: the id of its first process."""
    began: float
    """When that process began, which tells it from a later one with the same id."""
    broker_url: str
    pools: dict[str, int]
    flower_url: str | None
    flower_login: str | None
    hosts: int = 1
    """Workers of each pool."""

    @property
    def alive(self) -> bool:
        """Whether the supervisor runs."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.session)
            # psutil computes it from the time of boot, which a clock correction may shift.
            same = abs(process.create_time() - self.began) < 2.0
            return same and process.status() != psutil.STATUS_ZOMBIE
        return False

    def broken_parts(self) -> list[str]:
        """The parts that should be there and are not, by name."""
        parts = [] if self.alive else ["supervisor"]
        present: Counter[str] = Counter()
        try:
            present.update(worker.pool for worker in present_workers(connect(self.broker_url)))
        except (ClusterError, redis.RedisError):
            parts.append("redis")
        parts += [f"worker {pool}" for pool in self.pools if present[pool] < self.hosts]
        if self.flower_url and not answers(self.flower_url, str(self.flower_login)):
            parts.append("flower")
        return parts


def find(settings: Settings) -> Cluster | None:
    """The cluster that stays in the state directory, running or broken; ``None`` if none."""
    path = _directory(settings) / STATE_FILE
    try:
        return Cluster(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        raise UsageError(f"POOLRACE_STATE_DIR {settings.state_dir} is not a directory") from None
    except (OSError, ValueError, TypeError) as error:
        raise ClusterError(
            f"cannot read {path}: {error}; end its supervisor, whose number is in"
            f" {path.parent / 'supervisord.pid'}, and remove {path.parent}"
        ) from error


def local_of(settings: Settings) -> Cluster | None:
    """The cluster that stays, if it is what commands with these settings talk to."""
    cluster = find(settings)
    named = cluster and settings.broker_url in (None, cluster.broker_url)
    return cluster if named else None


def require(settings: Settings) -> Cluster:
    """The cluster that stays; raises ``ClusterError`` if there is none."""
    cluster = find(settings)
    if cluster is None:
        raise ClusterError(f"no local cluster is running here; {HOW_TO_START}")
    return cluster


def up(settings: Settings, pools: Mapping[str, int], flower_port: int | None) -> Cluster:
    """Start a cluster that stays; raises ``UsageError`` if one is there already.

    Where the settings name a broker, it becomes that broker, so that every command finds it.
    """
    directory = _directory(settings)
    try:
        directory.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise UsageError(
            f"a cluster is there already, in {directory}; first: producer down"
        ) from None
    except OSError as error:
        raise UsageError(f"cannot make {directory}: {error.strerror}") from error
    try:
        url = _own_address(settings.broker_url) if settings.broker_url else _new_address()
        port = _flower_port(flower_port)
        wanted = ClusterSpec(pools, [settings.host], url, port)
        cluster, environment = _prepare(settings, directory, wanted, keep=True)
        process = _start(supervisor_command(directory), directory, environment, subprocess.DEVNULL)
        cluster = _identified(cluster, process)
        _write_private(directory / STATE_FILE, json.dumps(asdict(cluster), indent=2))
        _wait_until_ready(cluster, process)
    except BaseException:
        down(settings)
        raise
    return cluster


def down(settings: Settings) -> Cluster | None:
    """End the cluster of the state directory, whole or broken; returns what was ended."""
    cluster = find(settings)
    if cluster is not None:
        end(cluster.session, cluster.session, Path(cluster.directory), STOP_S + 2.0)
    shutil.rmtree(_directory(settings), ignore_errors=True)
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
    largest: str = "1mb",
) -> Iterator[Cluster]:
    """A cluster for as long as the context lasts, and not longer whatever happens to us.

    More than one of the ``hosts`` are made up: workers of this machine with names of their own.
    Without any pool it is a Redis, whose values may be as large as ``largest`` says.
    """
    directory = Path(tempfile.mkdtemp(prefix="poolrace-")).resolve()
    port = free_port() if flower else None
    names = [settings.host] if hosts == 1 else [f"host-{n}" for n in range(1, hosts + 1)]
    wanted = ClusterSpec(pools, names, _new_address(), port, largest)
    cluster, environment = _prepare(settings, directory, wanted, keep=False)
    guard = [sys.executable, "-m", "poolrace.producer.processes.guard", str(directory)]
    process = _start(guard, directory, environment, subprocess.PIPE)
    try:
        cluster = _identified(cluster, process)
        _wait_until_ready(cluster, process)
        yield cluster
    finally:
        process.communicate()  # ends its standard input, and waits


@contextmanager
def attached(
    settings: Settings, pools: Mapping[str, int], *, hosts: int = 1, flower: bool = False
) -> Iterator[Settings]:
    """Settings that name a broker: the given one, the cluster that stays, or a temporary one.

    Only a temporary cluster has exactly these ``pools``, with their slots, on so many ``hosts``.
    """
    staying = local_of(settings)
    if staying and (broken := staying.broken_parts()):
        logger.warning("the local cluster lacks: %s (see producer status)", ", ".join(broken))
    if settings.broker_url:
        yield settings
    elif staying:
        yield replace(settings, broker_url=staying.broker_url, result_backend=None)
    else:
        with temporary(settings, pools, hosts=hosts, flower=flower) as cluster:
            if flower:
                logger.info("Flower: %s (login %s)", cluster.flower_url, cluster.flower_login)
            yield replace(
                settings, broker_url=cluster.broker_url, result_backend=None, lasting=False
            )


def existing(settings: Settings) -> Settings:
    """Settings that name the cluster which is there; raises ``ClusterError`` if none is."""
    staying = local_of(settings)
    if settings.broker_url:
        return settings
    if staying is None:
        raise ClusterError(f"no cluster is running here; {HOW_TO_START}")
    return replace(settings, broker_url=staying.broker_url, result_backend=None)


def _directory(settings: Settings) -> Path:
    """A directory of our own within the state directory: ``down`` removes it whole."""
    return settings.state_dir.resolve() / "cluster"


def _new_address() -> str:
    """A broker to be: any free port on loopback, a password of its own."""
    return f"redis://:{secrets.token_urlsafe(24)}@{LOOPBACK}:{free_port()}/0"


def _own_address(url: str) -> str:
    """The address that the settings name, if a Redis of ours could have it."""
    parts = urlsplit(url)
    ours = parts.scheme == "redis" and not parts.username and parts.password
    if parts.hostname not in (LOOPBACK, "localhost") or not ours:
        raise UsageError(
            f"CELERY_BROKER_URL, or .env, names another cluster, {mask(url)}, and commands here"
            " talk to that one; unset it to start a local cluster"
        )
    if not is_free(parts.port or REDIS_PORT):
        raise UsageError(
            f"port {parts.port or REDIS_PORT} of CELERY_BROKER_URL, or of .env, is taken;"
            " end what has it (make down), or name another"
        )
    return url


@dataclass(frozen=True)
class ClusterSpec:
    """A cluster to be. ``pools`` are slots by pool, ``hosts`` the names of its hosts."""

    pools: Mapping[str, int]
    hosts: list[str]
    url: str
    flower_port: int | None
    largest: str = "1mb"


def _prepare(
    settings: Settings, directory: Path, wanted: ClusterSpec, *, keep: bool
) -> tuple[Cluster, dict[str, str]]:
    """Write the files; returns the cluster to be and the environment of its processes."""
    url, flower_port = wanted.url, wanted.flower_port
    parts = urlsplit(url)
    login = settings.flower_login or f"poolrace:{secrets.token_urlsafe(12)}"
    _write_private(
        directory / "redis.conf",
        redis_conf(
            directory,
            parts.port or REDIS_PORT,
            unquote(parts.password or ""),
            keep=keep,
            largest=wanted.largest,
        ),
    )
    redis_command = [str(server_binary()), str(directory / "redis.conf")]
    programs = cluster_programs(redis_command, wanted.pools, wanted.hosts, flower_port)
    stop_s = STOP_S if keep else 1
    _write_private(directory / "supervisord.conf", supervisord_conf(directory, programs, stop_s))
    cluster = Cluster(
        directory=str(directory),
        session=0,
        began=0.0,
        broker_url=url,
        pools=dict(wanted.pools),
        hosts=len(wanted.hosts),
        flower_url=flower_port and f"http://127.0.0.1:{flower_port}",  # type: ignore[arg-type] # None stays None
        flower_login=login if flower_port else None,
    )
    environment = inherited_environment(
        CELERY_BROKER_URL=url,
        CELERY_RESULT_BACKEND=url,
        FLOWER_BASIC_AUTH=login,
        TMPDIR=str(directory),  # what a killed worker leaves behind goes with the cluster
    )
    return cluster, environment


def _start(
    command: list[str], directory: Path, environment: dict[str, str], stdin: int
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, out of reach of the terminal's Ctrl-C."""
    return subprocess.Popen(
        command,
        cwd=directory,
        env=environment,
        start_new_session=True,
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _identified(cluster: Cluster, process: subprocess.Popen[bytes]) -> Cluster:
    began = psutil.Process(process.pid).create_time()
    return replace(cluster, session=process.pid, began=began)


def _wait_until_ready(cluster: Cluster, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while missing := cluster.broken_parts():
        if process.poll() is not None or time.monotonic() > deadline:
            raise ClusterError(
                f"the local cluster did not start: no {', no '.join(missing)};"
                f" last words: {_last_words(Path(cluster.directory))}"
            )
        time.sleep(POLL_S)  # other programs start: there is nothing to wait on but their answers


def _last_words(directory: Path) -> str:
    """The last line that each program logged."""
    lines = []
    for log in sorted(directory.glob("*.log")):
        words = log.read_text(errors="replace").strip().splitlines()[-1:]
        lines += [f"{log.stem}: {mask(word)}" for word in words]
    return "; ".join(lines) or "none"


def _flower_port(wanted: int | None) -> int:
    """The port asked for, which must be free; else Flower's usual one, or any."""
    if is_free(wanted or FLOWER_PORT):
        return wanted or FLOWER_PORT
    if wanted:
        raise UsageError(f"--flower-port {wanted} is taken; give another one or leave it out")
    return free_port()


def _write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)
