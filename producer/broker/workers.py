"""Which workers are there: on which host, for which pool, with how many slots, what they used."""

import json
import logging
import time
import uuid
from typing import TYPE_CHECKING, cast

from poolrace.producer.processes.polling import poll_until
from poolrace.workers.errors import ClusterError
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.runtime.presence import (
    INDEX_KEY,
    Announcement,
    Presence,
    presence_key,
    usage_request_key,
)
from poolrace.workers.usage import Usage

if TYPE_CHECKING:
    import redis

ANSWER_S = 2
"""Seconds for an idle worker to tell its usage; it takes milliseconds. Less than the socket's
timeout."""

SILENT_S = 4
"""Seconds without a sign after which a run says so of a worker; they come every second."""

LOOK_S = 0.1
"""Seconds between two looks for workers that are not there yet."""

ANNOUNCED_S = 2.0
"""Within so long every worker has signed, also in a Redis that was emptied a moment ago."""

logger = logging.getLogger(__name__)


def present_workers(client: "redis.Redis") -> list[Presence]:
    """All workers that take chunks, by name."""
    return [sign.presence for sign in announcements(client) if sign.presence.slots]


def pool_workers(client: "redis.Redis", pool: str) -> list[Presence]:
    """The workers of one pool; raises ``ClusterError`` if there is none, nor comes to sign."""

    def look() -> list[Presence]:
        return [worker for worker in present_workers(client) if worker.pool == pool]

    if found := poll_until(look, ANNOUNCED_S, LOOK_S):
        return found
    raise _nobody(pool, present_workers(client))


def usage_of_workers(
    client: "redis.Redis", pool: str, *, reset_peak: bool = False
) -> dict[str, Usage]:
    """What the workers of a pool used so far, by name and start.

    One that does not answer is left out with a warning: a run is not lost over its figures.
    """
    asked = {worker.name: worker for worker in present_workers(client) if worker.pool == pool}
    reply_to = f"poolrace:usage-reply:{uuid.uuid4().hex}"
    question = json.dumps({"reply_to": reply_to, "reset_peak": reset_peak})
    with client.pipeline(transaction=False) as pipe:
        for name in asked:
            pipe.rpush(usage_request_key(name), question)
            pipe.expire(usage_request_key(name), ANSWER_S)
        pipe.execute()
    usages = {}
    while asked and (answer := client.blpop([reply_to], timeout=ANSWER_S)):
        told = json.loads(answer[1])
        worker = asked.pop(told["name"])
        usages[f"{worker.name} {worker.since}"] = Usage(**told["usage"])
    if asked:
        logger.warning("no usage from %s: it is not counted", ", ".join(asked))
    return usages


class WorkerWatch:
    """Follows the workers of one pool during a run: they may join, fall silent and leave."""

    def __init__(self, client: "redis.Redis", pool: str, patience_s: float) -> None:
        """Find the workers; raises ``ClusterError`` if there is none."""
        self._client = client
        self._pool = pool
        self._patience_s = patience_s
        self._workers = {worker.name: worker for worker in pool_workers(client, pool)}
        self._silent: set[str] = set()
        self._holders: dict[str, Announcement] = {}
        self._hosts = {worker.host.host: worker.host for worker in self._workers.values()}
        self._seen = time.monotonic()

    @property
    def slots(self) -> int:
        """How many there are now, ``0`` if all workers left."""
        return sum(worker.slots for worker in self._workers.values())

    @property
    def hosts(self) -> list[HostFacts]:
        """Facts of all hosts that were there at any time."""
        return list(self._hosts.values())

    @property
    def busy(self) -> bool:
        """Whether any of them holds a chunk, of whatever job."""
        return bool(self._holders)

    def holder(self, task_id: str) -> Announcement | None:
        """The last sign of the worker that holds the chunk, as far as anybody said so."""
        return self._holders.get(task_id)

    def look(self) -> list[str]:
        """Look again; returns what changed, in words.

        Raises ``ClusterError`` once nobody has been there for ``patience_s`` seconds.
        """
        told = announcements(self._client)
        ours = [sign for sign in told if sign.presence.pool == self._pool]
        now = {sign.presence.name: sign.presence for sign in ours if sign.presence.slots}
        silent = {sign.presence.name for sign in ours if sign.age_s > SILENT_S} & now.keys()
        freshest_last = sorted(ours, key=lambda sign: -sign.age_s)
        self._holders = {task_id: sign for sign in freshest_last for task_id in sign.holds}
        if now:
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > self._patience_s:
            raise _nobody(self._pool, [sign.presence for sign in told])
        before, self._workers = self._workers, now
        was_silent, self._silent = self._silent, silent
        self._hosts |= {worker.host.host: worker.host for worker in now.values()}
        return [
            *(f"{name} joined with {now[name].slots} slot(s)" for name in now.keys() - before),
            *(f"{name} left" for name in before.keys() - now.keys()),
            *(
                f"{name} was started again"
                for name in now.keys() & before.keys()
                if now[name].since != before[name].since
            ),
            *(f"{name} fell silent" for name in silent - was_silent),
            *(f"{name} is heard again" for name in (was_silent - silent) & now.keys()),
        ]


def announcements(client: "redis.Redis") -> list[Announcement]:
    """The last sign of each worker, by name."""
    found = cast("set[bytes]", client.smembers(INDEX_KEY))
    keys = [presence_key(name) for name in sorted(name.decode() for name in found)]
    if not keys:
        return []
    with client.pipeline(transaction=False) as pipe:
        pipe.mget(keys)
        for key in keys:
            pipe.pttl(key)
        payloads, *left_ms = pipe.execute()
    read = []
    for key, payload, ms in zip(keys, payloads, left_ms, strict=True):
        try:
            read += [Announcement.read(payload, ms)] if payload else []
        except (ValueError, RecursionError) as error:
            logger.warning("%s is ignored: %s", key, error)
    return read


def _nobody(pool: str, present: list[Presence]) -> ClusterError:
    others = ", ".join(sorted({worker.pool for worker in present})) or "none"
    return ClusterError(
        f"no worker consumes queue {pool!r} (pools present: {others});"
        f" start one: make scale POOL={pool} N=1, or: python -m poolrace.workers {pool}"
    )
