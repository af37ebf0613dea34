"""Reads and edits the queue of a pool: kombu's Redis list of JSON envelopes."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from poolrace.workers.protocol import QUEUE_EXPIRE_S, queue_of
from poolrace.workers.runtime.cancellation import CANCELLED_KEY_S, cancel_key

if TYPE_CHECKING:
    import redis


@dataclass(frozen=True)
class PoolQueue:
    """The queue of one pool, in the Redis of ``client``."""

    client: "redis.Redis"
    pool: str

    def task_ids(self) -> set[str]:
        """Task ids of the messages in the queue."""
        return {task_id for task_id, _ in _messages(self.client, self.pool)}

    def renew(self) -> None:
        """Renew the expiry of the queue, for as long as its messages are wanted."""
        self.client.expire(queue_of(self.pool), QUEUE_EXPIRE_S)


def revoke(client: "redis.Redis", pool: str, job_key: str) -> int:
    """Remove the messages of a job from the queue, and mark the job as cancelled.

    The mark makes running chunks stop at their next cancellation point. Returns the number of
    messages removed.
    """
    client.set(cancel_key(job_key), 1, ex=CANCELLED_KEY_S)
    prefix = f"{job_key}."
    envelopes = [raw for task_id, raw in _messages(client, pool) if task_id.startswith(prefix)]
    with client.pipeline(transaction=False) as pipe:
        for envelope in envelopes:
            pipe.lrem(queue_of(pool), 1, envelope)  # type: ignore[arg-type] # redis-py takes bytes, too
        return sum(pipe.execute())


def _messages(client: "redis.Redis", pool: str) -> list[tuple[str, bytes]]:
    """Task id and raw envelope of each message in the queue."""
    messages = []
    for raw in cast("list[bytes]", client.lrange(queue_of(pool), 0, -1)):
        try:
            messages.append((str(json.loads(raw)["headers"]["id"]), raw))
        except (ValueError, KeyError, TypeError, RecursionError):
            continue  # not a message of poolrace: the workers drop it
    return messages
