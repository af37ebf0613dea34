"""The Celery pools: their default numbers of slots, and prefetch multipliers."""

import os
from dataclasses import dataclass

from poolrace.workers.errors import unknown


@dataclass(frozen=True)
class Pool:
    """One of Celery's execution pools. ``name`` is also Celery's ``--pool``."""

    name: str
    slot: str
    """The kind of a slot in this pool: a process, a thread or a greenlet."""
    default_slots: int
    prefetch_multiplier: int = 1
    """Messages that a worker reserves per slot; with late acknowledgement 1 means no message beyond
    the running ones."""
    package: str | None = None
    """Package that the pool needs besides Celery, ``None``: none."""


CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""Number of cores that this process may run on."""

POOLS: dict[str, Pool] = {
    pool.name: pool
    for pool in (
        Pool("prefork", "process", CORES),
        Pool("threads", "thread", CORES),
        # With late acknowledgement and a multiplier of 1 Celery's gevent pool takes a batch
        # of messages every 2 s: measured 0.5 messages/s with 1 slot, 170-280/s with 2.
        Pool("gevent", "greenlet", 100, prefetch_multiplier=2, package="gevent"),
        Pool("solo", "process", 1),
    )
}


def pool_named(name: str) -> Pool:
    """The pool of that name; raises ``UsageError`` for an unknown one."""
    if name not in POOLS:
        raise unknown("pool", name, POOLS)
    return POOLS[name]
