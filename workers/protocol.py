"""The protocol between producers and workers: its number, the version of poolrace, the queues."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version

from poolrace.workers.pools import POOLS

PROTOCOL = 4
"""Number of the protocol: the arguments of the task, the results of its chunks, and the keys in
Redis by which producers and workers know of each other. A change that an older producer or worker
cannot read needs a new number. Releases up to 0.2.0 have number 1."""

FIRST_PROTOCOL = 1
"""Number of the protocol of a worker that announces none."""

FIRST_VERSIONS = "0.2.0 or older"
"""Version of a worker that announces none."""

UNKNOWN_VERSION = "of unknown version"
"""Version of a checkout that is not installed."""

QUEUE_EXPIRE_S = 60
"""Seconds until a queue expires. Each message that is sent, and each second of a running job, begin
them anew. So chunks of a producer that died, or that somebody moved to another database or key, are
gone after this time."""


def queue_of(pool: str) -> str:
    """The Celery queue of a pool. A worker of another protocol has another queue, so that it never
    takes a chunk that it cannot read."""
    return f"{pool}.{PROTOCOL}"


QUEUES = tuple(map(queue_of, POOLS))
"""The Celery queues of all pools."""


@cache
def package_version() -> str:
    """The version of poolrace that is installed."""
    try:
        return version("poolrace")
    except PackageNotFoundError:
        return UNKNOWN_VERSION
