"""A worker says that it is there, and what it is, by a key in Redis that expires; asked, it
tells what it used.

It does so from a thread of its own. Celery's remote control goes through the consumer, which a
solo worker does not serve while it computes, so that a busy worker would look dead; and a
gevent worker whose control connection was cut once never answers again (seen with 5.7).
"""

import contextlib
import json
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import redis

from poolrace.workers.host_facts import HostFacts
from poolrace.workers.usage import usage_of_tree

REFRESH_S = 1
EXPIRE_S = 10
"""Seconds without a sign after which a worker counts as gone: ten missed refreshes."""

ANSWER_KEPT_S = 60
"""Seconds after which an answer that nobody took is dropped."""

INDEX_KEY = "poolrace:workers"

logger = logging.getLogger(__name__)


def presence_key(name: str) -> str:
    """The key under which the worker of that name is present."""
    return f"poolrace:worker:{name}"


def question_key(name: str) -> str:
    """The list from which the worker of that name takes questions about its usage.

    A question is a JSON object: ``reply_to``, the list to push the answer to, and
    ``reset_peak``. The answer holds the worker's ``name`` and the fields of its ``usage``.
    """
    return f"poolrace:question:{name}"


def pause_key(name: str) -> str:
    """The key that makes the worker of that name rest for as long as it is there."""
    return f"poolrace:rest:{name}"


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a worker said of itself last."""

    presence: "Presence"
    holds: frozenset[str]
    """Task ids of the chunks that it has taken from the queue and not done yet."""
    age_s: float
    """Seconds since it said so, by Redis' clock."""
    rests: bool = False
    """Whether it takes no chunks because somebody asked it to."""

    @classmethod
    def read(cls, payload: bytes, left_ms: int) -> "Announcement":
        """From a presence key and its time to live; raises ``ValueError`` if it is none."""
        try:
            told = json.loads(payload)
            holds = frozenset(map(str, told["holds"]))
            presence, age_s = Presence.from_json(told["presence"]), EXPIRE_S - left_ms / 1000
            return cls(presence, holds, age_s, rests=bool(told.get("rests")))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a worker's sign: {error!r}") from error


@dataclass(frozen=True, slots=True)
class Presence:
    """A worker that takes chunks from the queue of its pool."""

    name: str
    """``POOL@host``, unique in the cluster."""
    pool: str
    slots: int
    """``0`` while it takes no chunks: it rests, or ends when those that it holds are done."""
    pid: int
    since: str
    """When it started, by its own clock: ISO 8601, UTC. A restart changes it."""
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
    """Keeps a worker's presence fresh and answers questions, until ``end``.

    With each sign it tells which chunks the worker ``holds``, running or waiting for a slot, and
    tells the worker whether it is to ``rest``, which answers whether it does.
    """

    def __init__(
        self,
        client: "redis.Redis",
        presence: Presence,
        holds: Callable[[], Sequence[str]] = lambda: (),
        rest: Callable[[bool], bool] = lambda _: False,
    ) -> None:
        super().__init__(name="presence", daemon=True)
        self._client = client
        self._presence = presence
        self._holds = holds
        self._rest = rest
        self._resting = False
        self._over = threading.Event()

    def run(self) -> None:
        """Refresh until the end; a Redis that is away for a while is tried again."""
        while not self._over.is_set():
            try:
                self._refresh()
                self._answer()
            except Exception as error:  # noqa: BLE001 # without announcements it would count as gone
                logger.warning("presence not refreshed: %r", error)
                self._over.wait(REFRESH_S)

    def leave(self) -> None:
        """This worker takes no more chunks. Safe in a signal handler: does no I/O itself."""
        self._presence = replace(self._presence, slots=0)

    def end(self) -> None:
        """This worker is no more there."""
        self._over.set()
        with contextlib.suppress(redis.RedisError):  # then it expires
            self._client.delete(presence_key(self._presence.name))

    def _refresh(self) -> None:
        presence = replace(self._presence, slots=0) if self._resting else self._presence
        told = {"presence": presence.to_json(), "holds": self._holds(), "rests": self._resting}
        with self._client.pipeline(transaction=False) as pipe:
            pipe.set(presence_key(self._presence.name), json.dumps(told), ex=EXPIRE_S)
            pipe.sadd(INDEX_KEY, self._presence.name)
            pipe.expire(INDEX_KEY, EXPIRE_S)
            pipe.exists(pause_key(self._presence.name))
            *_, wanted = pipe.execute()
        self._resting = self._rest(bool(wanted))

    def _answer(self) -> None:
        """Answer the next question, if one comes before the next refresh."""
        asked = self._client.blpop([question_key(self._presence.name)], timeout=REFRESH_S)
        if not asked:
            return
        try:
            question = json.loads(asked[1])
            reply_to, reset_peak = str(question["reply_to"]), bool(question["reset_peak"])
        except (ValueError, KeyError, TypeError) as error:
            logger.warning("a question that is none was ignored: %r", error)
            return
        usage = usage_of_tree(self._presence.pid, reset_peak=reset_peak)
        with self._client.pipeline(transaction=False) as pipe:
            told = {"name": self._presence.name, "usage": asdict(usage)}
            pipe.rpush(reply_to, json.dumps(told))
            pipe.expire(reply_to, ANSWER_KEPT_S)
            pipe.execute()
