"""A worker says that it is there, and what it is, by a key in Redis that expires.

It does so from a thread of its own. Celery's ping goes through the consumer, which a solo or
gevent worker does not serve while it computes: a busy worker would look dead.
"""

import contextlib
import json
import logging
import threading
from dataclasses import asdict, dataclass
from typing import Any

import redis

from workers.hosts import HostFacts

REFRESH_S = 2.0
EXPIRE_S = 10
"""Seconds without a sign after which a worker counts as gone: five missed refreshes."""

INDEX_KEY = "poolrace:workers"

logger = logging.getLogger(__name__)


def presence_key(name: str) -> str:
    """The key under which the worker of that name is present."""
    return f"poolrace:worker:{name}"


@dataclass(frozen=True, slots=True)
class Presence:
    """A worker that takes chunks from the queue of its pool."""

    name: str
    """``POOL@host``, unique in the cluster."""
    pool: str
    slots: int
    pid: int
    host: HostFacts

    def to_json(self) -> dict[str, Any]:
        """The presence as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> "Presence":
        """Rebuild a presence; raises ``ValueError`` for anything that is not one."""
        try:
            return cls(**{**data, "host": HostFacts(**data["host"])})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a worker's presence: {error!r}") from error


class Announcer(threading.Thread):
    """Keeps a worker's presence fresh until ``withdraw``."""

    def __init__(self, client: "redis.Redis", presence: Presence) -> None:
        super().__init__(name="presence", daemon=True)
        self._client = client
        self._presence = presence
        self._over = threading.Event()

    def run(self) -> None:
        """Refresh until withdrawn; a Redis that is away for a while is tried again."""
        payload = json.dumps(self._presence.to_json())
        while not self._over.is_set():
            try:
                with self._client.pipeline(transaction=False) as pipe:
                    pipe.set(presence_key(self._presence.name), payload, ex=EXPIRE_S)
                    pipe.sadd(INDEX_KEY, self._presence.name)
                    pipe.expire(INDEX_KEY, EXPIRE_S)
                    pipe.execute()
            except redis.RedisError as error:
                logger.warning("presence not refreshed: %s", error)
            self._over.wait(REFRESH_S)
        with contextlib.suppress(redis.RedisError):  # then it expires
            self._client.delete(presence_key(self._presence.name))

    def withdraw(self) -> None:
        """This worker takes no more chunks. Safe in a signal handler: does no I/O itself."""
        self._over.set()
