"""The registry of peers: a new peer is one file in this folder and one entry below.

An entry describes a peer also where its package is not installed. The peer's module is imported
only to measure it, in a process of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from benchmarks.peers.base import Peer
from poolrace.workers.errors import UsageError

INSTALL = 'pip install ".[bench]"'
"""Command that installs all peers."""


@dataclass(frozen=True)
class Entry:
    """A peer's title, its class as ``module:Class``, its package, and how it is configured."""

    title: str
    class_path: str
    configured: str
    package: str | None = None
    """Package that the peer needs; ``None`` for parts of Python or of poolrace."""
    redis: bool = False
    """Whether the peer needs a private Redis."""

    @property
    def version(self) -> str | None:
        """The version of the package; ``None`` if there is none, or it is not installed."""
        try:
            return version(self.package) if self.package else None
        except PackageNotFoundError:
            return None

    @property
    def missing(self) -> str | None:
        """Reason why the peer cannot be measured, with advice; ``None`` if it can."""
        if self.package is None or self.version:
            return None
        return f"{self.package} is not installed; {INSTALL}"

    def make(self) -> Peer:
        """Create the peer, not yet started; if it needs Redis, within ``private_redis``."""
        module, _, name = self.class_path.partition(":")
        peer: Peer = getattr(import_module(f"benchmarks.peers.{module}"), name)()
        return peer


PEERS: Mapping[str, Entry] = {
    "seed": Entry(
        "the seed's program",
        "seed:Seed",
        "two `multiprocessing.Process`, half of the range each, results through a `Queue`;"
        " starting them is inside the clock, as in the text",
    ),
    "poolrace": Entry(
        "poolrace",
        "poolrace:Poolrace",
        "`prefork:2` on a temporary cluster; row 1 under the default schedule, the others with"
        " chunks of one size",
    ),
    "mp-pool": Entry(
        "multiprocessing.Pool",
        "mp_pool:MpPool",
        "`Pool(2).starmap` with its own chunksize, which sends short chunks in batches",
    ),
    "futures": Entry(
        "concurrent.futures",
        "futures:Futures",
        "`ProcessPoolExecutor(2).map` with a chunksize of an eighth of the chunks, as its"
        " documentation advises for long iterables",
    ),
    "joblib": Entry(
        "joblib",
        "joblib:Joblib",
        "`Parallel(n_jobs=2)` kept by a `with` block, loky, automatic batches",
        "joblib",
    ),
    "ray": Entry(
        "Ray",
        "ray:Ray",
        "`ray.init(num_cpus=2)` without dashboard, one remote task a chunk, one `ray.get`",
        "ray",
    ),
    "dask": Entry(
        "Dask distributed",
        "dask:Dask",
        "`LocalCluster` of two processes with one thread each, without dashboard; `Client.map`"
        " and `gather`",
        "distributed",
    ),
    "celery-group": Entry(
        "Celery group",
        "celery_group:CeleryGroup",
        "prefork, `-c 2`, default settings with `worker_prefetch_multiplier` 64, as its guide"
        " recommends for short tasks; `group(...).apply_async().get()`",
        "celery",
        redis=True,
    ),
    "dramatiq": Entry(
        "dramatiq",
        "dramatiq:Dramatiq",
        "`--processes 2 --threads 1`, Redis broker and result backend, a `group`",
        "dramatiq",
        redis=True,
    ),
    "rq": Entry(
        "RQ",
        "rq:Rq",
        "`rq worker-pool -n 2`, whose workers fork for each job; `enqueue_many`",
        "rq",
        redis=True,
    ),
    "huey": Entry(
        "huey",
        "huey:Huey",
        "`huey_consumer -w 2 -k process`, `RedisHuey`, `task.map`",
        "huey",
        redis=True,
    ),
    "taskiq": Entry(
        "taskiq",
        "taskiq:Taskiq",
        "`--workers 2`, taskiq-redis' stream broker and result backend, `taskiq.gather`",
        "taskiq-redis",
        redis=True,
    ),
}
"""All peers, in the order of the tables."""

WAITING: Mapping[str, Entry] = {
    "poolrace": Entry(
        "poolrace", "poolrace:PoolraceWaiting", "`gevent:1000` on a temporary cluster"
    ),
    "celery-group": Entry(
        "Celery group",
        "celery_group:CeleryGroupWaiting",
        "gevent, `-c 1000`, one message an index",
        "celery",
        redis=True,
    ),
}
"""Peers that also run work that waits, with a thousand greenlets."""


def peer_named(name: str, entries: Mapping[str, Entry] = PEERS) -> Entry:
    """The entry of that name; raises ``UsageError`` for an unknown one."""
    if name not in entries:
        raise UsageError(f"peer {name!r} is unknown; choose {', '.join(entries)}")
    return entries[name]
