"""The Celery command line that a worker process becomes."""

import sys

from poolrace.workers.pools import pool_named


def worker_command(pool: str, slots: int | None, host: str, log_level: str = "INFO") -> list[str]:
    """Celery's command line for a worker of that pool, with ``slots`` chunks at a time."""
    kind = pool_named(pool)
    return [
        *(sys.executable, "-m", "celery", "--app", "poolrace.workers.tasks", "worker"),
        *("--pool", kind.name, "--queues", kind.name, "--hostname", f"{kind.name}@{host}"),
        *("--concurrency", str(slots or kind.default_slots)),
        *("--prefetch-multiplier", str(kind.prefetch_multiplier)),
        # Workers have nothing to tell each other: the producer keeps the books.
        *("--without-gossip", "--without-mingle"),
        *("--loglevel", log_level),
    ]
