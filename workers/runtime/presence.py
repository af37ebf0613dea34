"""Announces a worker by an expiring key in Redis, and answers requests for its resource usage.

A separate thread does both. Celery's remote control runs in the consumer, which a solo worker
does not serve while it computes, so a busy worker would look dead; and a gevent worker whose
control connection was cut once never answers again (seen with Celery 5.7).
"""

import contextlib
import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import redis

from poolrace.workers.host_facts import HostFacts
from poolrace.workers.protocol import (
    FIRST_PROTOCOL,
    FIRST_VERSIONS,
    PROTOCOL,
    package_version,
)
from poolrace.workers.usage import usage_of_tree

REFRESH_S = 1
"""Seconds between two announcements of a worker."""

EXPIRE_S = 10
"""Seconds without an announcement after which a worker counts as gone: ten missed announcements."""

REPLY_EXPIRE_S = 60
"""Seconds until an unread usage reply expires."""

MAX_SLOTS = 1_000_000
"""Slots of a worker, at most; more are taken for damage."""

INDEX_KEY = "poolrace:workers"
"""Redis set of the names of all announced workers."""

logger = logging.getLogger(__name__)


def presence_key(name: str) -> str:
    """The Redis key of a worker's announcement."""
    return f"poolrace:worker:{name}"


def name_key(name: str) -> str:
    """The Redis key by which a process reserves a worker's name; it expires unless renewed."""
    return f"poolrace:name:{name}"


def usage_request_key(name: str) -> str:
    """The Redis list from which a worker takes requests for its resource usage.

    A request is a JSON object: ``reply_to``, the list for the reply, and ``reset_peak``. The reply
    holds the worker's ``name`` and the fields of its ``usage``.
    """
    return f"poolrace:usage-request:{name}"


def pause_key(name: str) -> str:
    """The Redis key that pauses a worker for as long as the key exists."""
    return f"poolrace:pause:{name}"


@dataclass(frozen=True, slots=True)
class Announcement:
    """The last announcement of a worker, as read from Redis."""

    presence: "Presence"
    holds: frozenset[str]
    """Task ids of the messages that the worker has taken from the queue and not finished."""
    age_s: float
    """Seconds since the announcement, by Redis' clock."""
    paused: bool = False
    """Whether the worker takes no chunks because its pause key exists."""
    working: dict[str, str] | None = None
    """Name of each slot with a chunk, and the task id of its batch; ``None``: a worker of an older
    version, which announces neither the slots nor the chunks begun."""
    chunks_begun: int | None = None
    """Number of chunks that the worker began since its start."""

    @classmethod
    def read(cls, payload: bytes, left_ms: int) -> "Announcement":
        """Decode the value of a presence key, which expires in ``left_ms``.

        Raises ``ValueError`` for a payload that is not an announcement.
        """
        try:
            data = json.loads(payload)
            holds = frozenset(map(str, data["holds"]))
            presence, age_s = Presence.from_json(data["presence"]), EXPIRE_S - left_ms / 1000
            working, begun = data.get("working"), data.get("chunks_begun")
            return cls(
                presence,
                holds,
                age_s,
                paused=bool(data.get("paused")),
                working=_texts(working) if isinstance(working, dict) else None,
                chunks_begun=begun if isinstance(begun, int) else None,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a worker's announcement: {error!r}") from error


@dataclass(frozen=True, slots=True)
class Work:
    """The work of a worker at one time."""

    holds: Sequence[str] = ()
    """Task ids of the batches that the worker has taken from the queue and not finished."""
    working: Mapping[str, str] = field(default_factory=dict)
    """Name of each slot with a chunk, and the task id of its batch."""
    chunks_begun: int = 0
    """Number of chunks begun since the worker's start."""


@dataclass(frozen=True, slots=True)
class Presence:
    """A worker that consumes the queue of its pool: name, pool, slots, process and host."""

    name: str
    """``POOL@HOST``, unique in the cluster."""
    pool: str
    slots: int
    """``0`` while the worker takes no chunks: it is paused, or finishes its last chunks."""
    pid: int
    since: str
    """Start of the worker, by its own clock: ISO 8601, UTC. A restart changes it."""
    host: HostFacts
    version: str = field(default_factory=package_version)
    """Version of poolrace that the worker runs."""
    protocol: int = PROTOCOL

    @property
    def compatible(self) -> bool:
        """Whether this program and the worker speak the same protocol."""
        return self.protocol == PROTOCOL

    def to_json(self) -> dict[str, Any]:
        """The presence as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> "Presence":
        """Build a presence from its JSON object; raises ``ValueError`` for any other value.

        A worker of another version may announce fields that this version does not know.
        """
        import msgspec  # noqa: PLC0415 # producers read presences; a worker may lack msgspec

        announced = {"version": FIRST_VERSIONS, "protocol": FIRST_PROTOCOL, **data}
        try:
            presence = msgspec.convert(announced, cls)
        except msgspec.ValidationError as error:
            raise ValueError(f"not a worker's presence: {error}") from error
        if not 0 <= presence.slots <= MAX_SLOTS:
            raise ValueError(f"not a worker's presence: it has {presence.slots} slots")
        return presence


def _texts(items: dict[Any, Any]) -> dict[str, str]:
    return {str(name): str(text) for name, text in items.items()}


class Announcer(threading.Thread):
    """Announces a worker every second and answers usage requests, until ``stop``.

    ``work`` returns the worker's present work. ``request_pause`` is called with whether the
    worker's pause key exists, and returns whether the worker is paused.
    """

    def __init__(
        self,
        client: "redis.Redis",
        presence: Presence,
        work: Callable[[], Work] = Work,
        request_pause: Callable[[bool], bool] = lambda _: False,
    ) -> None:
        super().__init__(name="presence", daemon=True)
        self._client = client
        self._presence = presence
        self._work = work
        self._request_pause = request_pause
        self._paused = False
        self._stopped = threading.Event()

    def run(self) -> None:
        """Announce until ``stop``; tries again after an error, because Redis may be unreachable."""
        while not self._stopped.is_set():
            try:
                self._announce()
                self._answer_request()
            except Exception as error:  # noqa: BLE001 # an unannounced worker counts as gone
                logger.warning("cannot announce this worker, trying again: %r", error)
                self._stopped.wait(REFRESH_S)

    def leave(self) -> None:
        """Announce 0 slots from now on. Safe in a signal handler: does no I/O itself."""
        self._presence = replace(self._presence, slots=0)

    def stop(self) -> None:
        """Stop announcing, and delete the announcement."""
        self._stopped.set()
        with contextlib.suppress(redis.RedisError):  # the key expires without it
            name = self._presence.name
            self._client.delete(presence_key(name), name_key(name))

    def _announce(self) -> None:
        presence = replace(self._presence, slots=0) if self._paused else self._presence
        data = {
            "presence": presence.to_json(),
            "paused": self._paused,
            **asdict(self._work()),
        }
        with self._client.pipeline(transaction=False) as pipe:
            pipe.set(presence_key(self._presence.name), json.dumps(data), ex=EXPIRE_S)
            pipe.sadd(INDEX_KEY, self._presence.name)
            pipe.expire(INDEX_KEY, EXPIRE_S)
            pipe.expire(name_key(self._presence.name), EXPIRE_S)
            pipe.exists(pause_key(self._presence.name))
            *_, pause_requested = pipe.execute()
        self._paused = self._request_pause(bool(pause_requested))

    def _answer_request(self) -> None:
        """Answer the next usage request, if one arrives before the next announcement."""
        popped = self._client.blpop([usage_request_key(self._presence.name)], timeout=REFRESH_S)
        if not popped:
            return
        try:
            request = json.loads(popped[1])
            reply_to, reset_peak = str(request["reply_to"]), bool(request["reset_peak"])
        except (ValueError, KeyError, TypeError) as error:
            logger.warning("a malformed usage request was ignored: %r", error)
            return
        usage = usage_of_tree(self._presence.pid, reset_peak=reset_peak)
        reply = {"name": self._presence.name, "usage": asdict(usage)}
        with self._client.pipeline(transaction=False) as pipe:
            pipe.rpush(reply_to, json.dumps(reply))
            pipe.expire(reply_to, REPLY_EXPIRE_S)
            pipe.execute()
