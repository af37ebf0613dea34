"""Builds the Celery command line of a worker."""

import sys

from poolrace.workers.pools import pool_named
from poolrace.workers.protocol import queue_of


def worker_command(
    pool: str,
    slots: int | None,
    host: str,
    log_level: str = "INFO",
    python: str = sys.executable,
) -> list[str]:
    """The Celery command line of a worker of ``pool``; ``slots`` is its concurrency."""
    settings = pool_named(pool)
    return [
        *(python, "-m", "celery", "--app", "poolrace.workers.tasks", "worker"),
        *("--pool", pool, "--queues", queue_of(pool), "--hostname", f"{pool}@{host}"),
        *("--concurrency", str(slots or settings.default_slots)),
        *("--prefetch-multiplier", str(settings.prefetch_multiplier)),
        # Workers exchange no messages with each other: the producer's ledger counts the chunks.
        *("--without-gossip", "--without-mingle"),
        *("--loglevel", log_level),
    ]
