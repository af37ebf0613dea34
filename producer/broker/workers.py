"""Reads the announcements and the resource usage of workers; watches the workers of a run."""

import json
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Self, cast

from poolrace.producer.processes.polling import poll_until
from poolrace.producer.results.run import EventKind, UntimedEvent
from poolrace.workers.errors import ClusterError
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.protocol import PROTOCOL, package_version
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

USAGE_TIMEOUT_S = 2
"""Seconds to wait for a worker's reply to a usage request; an idle worker replies within
milliseconds. Less than the timeout of the socket."""

SILENT_S = 4
"""Seconds without an announcement after which a run reports that a worker stopped responding;
workers announce themselves every second."""

FIRST_ANNOUNCEMENT_S = 2.0
"""Seconds to wait for the first worker of a pool. All workers announce themselves within this
time, even to a Redis that was emptied a moment ago."""

POLL_WORKERS_S = 0.1
"""Seconds between two polls of Redis while waiting for the first worker of a pool."""

logger = logging.getLogger(__name__)


def announcements(client: "redis.Redis") -> list[Announcement]:
    """The last announcement of each worker, by name."""
    members = cast("set[bytes]", client.smembers(INDEX_KEY))
    keys = [presence_key(name) for name in sorted(member.decode() for member in members)]
    if not keys:
        return []
    with client.pipeline(transaction=False) as pipe:
        pipe.mget(keys)
        for key in keys:
            pipe.pttl(key)
        payloads, *times_to_live_ms = pipe.execute()
    valid = []
    for key, payload, time_to_live_ms in zip(keys, payloads, times_to_live_ms, strict=True):
        try:
            valid += [Announcement.read(payload, time_to_live_ms)] if payload else []
        except (ValueError, RecursionError) as error:
            logger.warning("ignored the value of key %s: %s", key, error)
    return valid


def present_workers(client: "redis.Redis") -> list[Presence]:
    """All workers that take chunks, by name."""
    return _taking_chunks(announcements(client))


def pool_workers(client: "redis.Redis", pool: str) -> list[Presence]:
    """The workers of one pool; raises ``ClusterError`` if none announces itself in time."""

    def workers_of_pool() -> list[Presence]:
        return [worker for worker in present_workers(client) if worker.pool == pool]

    if workers := poll_until(workers_of_pool, FIRST_ANNOUNCEMENT_S, POLL_WORKERS_S):
        return workers
    raise _no_worker(pool, announcements(client))


def usage_of_workers(
    client: "redis.Redis", pool: str, *, reset_peak: bool = False
) -> dict[str, Usage]:
    """Resource usage of each worker of a pool so far, by name and start time of the worker.

    A worker that does not answer is left out with a warning: missing figures fail no run.
    """
    unanswered = {worker.name: worker for worker in present_workers(client) if worker.pool == pool}
    reply_to = f"poolrace:usage-reply:{uuid.uuid4().hex}"
    request = json.dumps({"reply_to": reply_to, "reset_peak": reset_peak})
    with client.pipeline(transaction=False) as pipe:
        for name in unanswered:
            pipe.rpush(usage_request_key(name), request)
            pipe.expire(usage_request_key(name), USAGE_TIMEOUT_S)
        pipe.execute()
    usages = {}
    while unanswered and (reply := client.blpop([reply_to], timeout=USAGE_TIMEOUT_S)):
        answer = json.loads(reply[1])
        worker = unanswered.pop(answer["name"])
        usages[f"{worker.name} {worker.since}"] = Usage(**answer["usage"])
    if unanswered:
        names = ", ".join(unanswered)
        logger.warning(
            "no reply from worker %s to a usage request; its usage is not counted", names
        )
    return usages


class WorkerWatch:
    """Watches the workers of one pool during a run, as they join, stop responding and leave.

    ``read`` returns the last announcement of each worker, ``clock`` the seconds of a monotonic
    clock.
    """

    def __init__(
        self,
        read: Callable[[], list[Announcement]],
        pool: str,
        patience_s: float,
        workers: Sequence[Presence],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pool = pool
        self.patience_s = patience_s
        self._read = read
        self._clock = clock
        self._workers = {worker.name: worker for worker in workers}
        self._silent: set[str] = set()
        self._holders: dict[str, Announcement] = {}
        self._hosts = {worker.host.host: worker.host for worker in workers}
        self._last_present = self._clock()
        self._other_versions: set[str] = set()

    @classmethod
    def start(cls, client: "redis.Redis", pool: str, patience_s: float) -> Self:
        """Find the workers of the pool and watch them; raises ``ClusterError`` if there are none.

        ``patience_s`` limits how long the pool may later be without any worker.
        """
        workers = pool_workers(client, pool)
        return cls(partial(announcements, client), pool, patience_s, workers)

    @property
    def slots(self) -> int:
        """Number of slots of the present workers, ``0`` if all of them left."""
        return sum(worker.slots for worker in self._workers.values())

    @property
    def hosts(self) -> list[HostFacts]:
        """Facts of all hosts that were present at any time."""
        return list(self._hosts.values())

    @property
    def busy(self) -> bool:
        """Whether any worker of the pool holds a chunk, of this job or of another."""
        return bool(self._holders)

    @property
    def responding(self) -> bool:
        """Whether any worker of the pool has announced itself within ``SILENT_S``."""
        return bool(self._workers.keys() - self._silent)

    def holder(self, task_id: str) -> Announcement | None:
        """The last announcement of the worker that holds the task, ``None`` if none holds it."""
        return self._holders.get(task_id)

    def announced_names(self) -> set[str]:
        """Names of all workers of poolrace that announce themselves, of any pool and version."""
        return {announcement.presence.name for announcement in self._read()}

    def update(self) -> list[UntimedEvent]:
        """Read the announcements again; returns the changes.

        Raises ``ClusterError`` once no worker has been present for ``patience_s`` seconds.
        """
        of_all_pools = self._read()
        in_pool = [
            announcement
            for announcement in of_all_pools
            if announcement.presence.pool == self.pool and announcement.presence.compatible
        ]
        oldest_first = sorted(in_pool, key=lambda announcement: -announcement.age_s)
        self._holders = {
            task_id: announcement for announcement in oldest_first for task_id in announcement.holds
        }
        present = {worker.name: worker for worker in _taking_chunks(in_pool)}
        if present:
            self._last_present = self._clock()
        elif self._clock() - self._last_present > self.patience_s:
            raise _no_worker(self.pool, of_all_pools)
        self._hosts |= {worker.host.host: worker.host for worker in present.values()}
        silent = {
            announcement.presence.name for announcement in in_pool if announcement.age_s > SILENT_S
        } & present.keys()
        changes = self._changes(present, silent)
        self._workers, self._silent = present, silent
        return [*changes, *self._new_versions(of_all_pools)]

    def other_versions(self) -> list[UntimedEvent]:
        """An event for each worker of the pool that runs another version of poolrace."""
        return self._new_versions(self._read())

    def _new_versions(self, of_all_pools: Sequence[Announcement]) -> list[UntimedEvent]:
        """An event for each worker that runs another version, once."""
        others = {
            worker.name: UntimedEvent(_describe_version(worker), host=worker.host.host)
            for worker in (announcement.presence for announcement in of_all_pools)
            if worker.pool == self.pool
            and (worker.version != package_version() or not worker.compatible)
            and worker.name not in self._other_versions
        }
        self._other_versions |= others.keys()
        return list(others.values())

    def _changes(self, present: dict[str, Presence], silent: set[str]) -> list[UntimedEvent]:
        """The changes of the workers since the last update."""
        before, was_silent = self._workers, self._silent
        restarted = [
            name
            for name in present.keys() & before.keys()
            if present[name].since != before[name].since
        ]
        joined = present.keys() - before.keys()
        texts: tuple[tuple[EventKind, Iterable[str], str], ...] = (
            ("joined", joined, "joined with {} slot(s)"),
            ("left", before.keys() - present.keys(), "left"),
            ("joined", restarted, "was restarted"),
            ("silent", silent - was_silent, "stopped responding"),
            ("reconnected", (was_silent - silent) & present.keys(), "responds again"),
        )
        workers = before | present
        return [
            UntimedEvent(
                f"{name} {text.format(workers[name].slots)}", kind, workers[name].host.host
            )
            for kind, names, text in texts
            for name in sorted(names)
        ]


def _taking_chunks(current: Sequence[Announcement]) -> list[Presence]:
    """The workers that take chunks: neither paused nor shutting down, and of this protocol."""
    workers = [announcement.presence for announcement in current]
    return [worker for worker in workers if worker.slots and worker.compatible]


def _describe_version(worker: Presence) -> str:
    if worker.compatible:
        return f"{worker.name} runs poolrace {worker.version}, not {package_version()}"
    return (
        f"{worker.name} gets no chunks: it runs poolrace {worker.version} with protocol"
        f" {worker.protocol}, not {package_version()} with protocol {PROTOCOL}; update it"
    )


def _no_worker(pool: str, current: Sequence[Announcement]) -> ClusterError:
    pools = ", ".join(sorted({worker.pool for worker in _taking_chunks(current)})) or "none"
    reasons = [
        _describe_version(announcement.presence)
        if not announcement.presence.compatible
        else f"{announcement.presence.name} {'is paused' if announcement.paused else 'is stopping'}"
        for announcement in current
        if announcement.presence.pool == pool
    ]
    return ClusterError(
        f"no worker consumes the queue of pool {pool!r}"
        f" ({'; '.join([f'pools present: {pools}', *reasons])});"
        f" start one: make scale POOL={pool} N=1, or: python -m poolrace.workers {pool}"
    )
