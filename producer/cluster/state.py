"""The state of the local cluster: its description, its state file, and its broken parts."""

import json
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil
import redis

from poolrace.producer.broker.client import connect
from poolrace.producer.broker.workers import present_workers
from poolrace.producer.cluster.flower import flower_answers
from poolrace.producer.settings import Settings
from poolrace.workers.errors import ClusterError, UsageError

STATE_FILE = "cluster.json"

SAME_START_S = 2.0
"""Seconds by which two readings of a process's start time may differ: psutil computes it from
the time of boot, which a clock correction may shift."""


@dataclass(frozen=True)
class Cluster:
    """A local cluster, as its state file describes it."""

    directory: str
    session: int
    """Session that all processes of the cluster share: the id of its first process."""
    began: float
    """Start time of the session's first process; a later process with the same id differs."""
    broker_url: str
    pools: dict[str, int]
    """Slots of each worker, by pool."""
    flower_url: str | None
    flower_login: str | None
    hosts: int = 1
    """Number of hosts; each has one worker of each pool that is not left out."""
    interpreters: dict[str, str] = field(default_factory=dict)
    """Path of a host's interpreter, by name of the host; a host without one has our own."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Name of a worker that its host's interpreter cannot run -> the reason."""

    @property
    def alive(self) -> bool:
        """Whether the first process of the session runs: the guard of the supervisor."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.session)
            same = abs(process.create_time() - self.began) < SAME_START_S
            return same and process.status() != psutil.STATUS_ZOMBIE
        return False

    @property
    def workers(self) -> Counter[str]:
        """Number of workers of each pool."""
        left_out = Counter(name.partition("@")[0] for name in self.left_out)
        return Counter({pool: self.hosts - left_out[pool] for pool in self.pools})

    def broken_parts(self) -> list[str]:
        """Names of the parts of the cluster that do not answer."""
        parts = [] if self.alive else ["supervisor"]
        present: Counter[str] = Counter()
        try:
            present.update(worker.pool for worker in present_workers(connect(self.broker_url)))
        except (ClusterError, redis.RedisError):
            parts.append("redis")
        parts += [
            f"worker {pool}" for pool, number in self.workers.items() if present[pool] < number
        ]
        if self.flower_url and not flower_answers(self.flower_url, str(self.flower_login)):
            parts.append("flower")
        return parts


def cluster_directory(settings: Settings) -> Path:
    """Directory of the local cluster; ``down`` removes it with everything in it."""
    return settings.state_dir.resolve() / "cluster"


def read_state(settings: Settings) -> Cluster | None:
    """The cluster that ``producer up`` started here, running or broken; ``None`` if there is none.

    Raises ``ClusterError`` if the state file cannot be read.
    """
    path = cluster_directory(settings) / STATE_FILE
    try:
        return Cluster(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        raise UsageError(f"POOLRACE_STATE_DIR {settings.state_dir} is not a directory") from None
    except (OSError, ValueError, TypeError) as error:
        raise ClusterError(
            f"cannot read {path}: {error}; to end the cluster: producer down"
        ) from error


def write_state(cluster: Cluster) -> None:
    """Write the state file of a cluster."""
    path = Path(cluster.directory) / STATE_FILE
    write_private(path, json.dumps(asdict(cluster), indent=2))


def write_private(path: Path, text: str) -> None:
    """Write a file atomically, readable by this user only."""
    new_path = path.with_name(path.name + ".new")
    new_path.touch(mode=0o600)
    new_path.write_text(text, encoding="utf-8")
    new_path.replace(path)
