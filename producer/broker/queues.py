"""What stands in the queue of a pool: kombu keeps it as a Redis list of JSON envelopes."""

import json
from typing import TYPE_CHECKING, cast

from poolrace.workers.runtime.cancellation import CANCELLED_KEY_S, cancel_key

if TYPE_CHECKING:
    import redis


def queued_task_ids(client: "redis.Redis", pool: str) -> set[str]:
    """Task ids of the messages that wait in the queue of the pool."""
    return {task_id for task_id, _ in _messages(client, pool)}


def revoke(client: "redis.Redis", pool: str, job: str) -> int:
    """Take the messages of a job out of the queue, and mark it so that what runs of it stops.

    ``job`` is the job's key. Returns how many messages there were.
    """
    client.set(cancel_key(job), 1, ex=CANCELLED_KEY_S)
    prefix = f"{job}."
    ours = [raw for task_id, raw in _messages(client, pool) if task_id.startswith(prefix)]
    with client.pipeline(transaction=False) as pipe:
        for raw in ours:
            pipe.lrem(pool, 1, raw)  # type: ignore[arg-type] # bytes are as good
        return sum(pipe.execute())


def _messages(client: "redis.Redis", pool: str) -> list[tuple[str, bytes]]:
    found = []
    for raw in cast("list[bytes]", client.lrange(pool, 0, -1)):
        try:
            found.append((str(json.loads(raw)["headers"]["id"]), raw))
        except (ValueError, KeyError, TypeError, RecursionError):
            continue  # none of ours: the workers refuse it
    return found
