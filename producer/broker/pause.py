"""Pauses hosts of a pool, so that a run uses only some of them.

A worker is paused for as long as its pause key exists in Redis. The key expires within seconds, so
every host resumes even if the producer is killed.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import redis

from poolrace.producer.broker.client import connect, translate_errors
from poolrace.producer.broker.workers import announcements, pool_workers
from poolrace.producer.processes.polling import poll_until
from poolrace.producer.settings import Settings
from poolrace.workers.errors import ClusterError
from poolrace.workers.runtime.presence import pause_key

if TYPE_CHECKING:
    from poolrace.workers.runtime.presence import Announcement, Presence

PAUSE_S = 5
"""Seconds after which the pause of a host expires unless it is renewed."""

RENEW_S = 1.0
"""Seconds between two renewals of a pause."""

SETTLE_S = 20.0
"""Seconds within which hosts must pause or resume; they need 2 to 4 s to react, and then the time
until their running chunks end."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PoolHosts:
    """The hosts of one pool; ``only`` pauses some of them."""

    settings: Settings
    workers: "list[Presence]"
    """The workers of the pool, one per host, by name."""

    @classmethod
    def find(cls, settings: Settings, pool: str) -> Self:
        """Find the hosts of a pool; wait until no other producer pauses them.

        Raises ``ClusterError`` if the pool has no host, or if hosts stay paused.
        """
        with _connection(settings) as client:
            _wait_for(
                lambda: not _is_any_paused(client, pool),
                f"hosts of pool {pool} are paused by another producer; wait until it is done",
            )
            return cls(settings, pool_workers(client, pool))

    @contextmanager
    def only(self, number: int) -> Iterator[None]:
        """Pause all hosts but the first ``number`` until the context is left.

        Raises ``ClusterError`` if a host neither pauses nor resumes in time.
        """
        names = [worker.name for worker in self.workers]
        working, paused = names[:number], names[number:]
        with _connection(self.settings) as client, _pausing(client, paused):
            _wait_for(
                lambda: _is_settled(announcements(client), working, paused),
                f"hosts {', '.join(names)}: the first {number} did not resume, or the others did"
                f" not pause, within {SETTLE_S:g} s; see: producer status",
            )
            yield


@contextmanager
def _connection(settings: Settings) -> "Iterator[redis.Redis]":
    url = str(settings.broker_url)
    with translate_errors(url), closing(connect(url, settings.ca_file)) as client:
        yield client


@contextmanager
def _pausing(client: "redis.Redis", names: Sequence[str]) -> Iterator[None]:
    """Pause these workers, and renew the pause until the context is left."""
    stopped = threading.Event()

    def renew() -> None:
        while not stopped.wait(RENEW_S):
            try:
                _pause(client, names)
            except redis.RedisError as error:
                logger.warning("cannot renew the pause of hosts, trying again: %s", error)

    _pause(client, names)
    thread = threading.Thread(target=renew, name="pause", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
        with suppress(redis.RedisError):  # the keys expire without it
            _resume(client, names)


def _pause(client: "redis.Redis", names: Sequence[str]) -> None:
    with client.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.set(pause_key(name), 1, ex=PAUSE_S)
        pipe.execute()


def _resume(client: "redis.Redis", names: Sequence[str]) -> None:
    if names:
        client.delete(*map(pause_key, names))


def _is_any_paused(client: "redis.Redis", pool: str) -> bool:
    """Whether a worker of the pool is paused, or was asked to pause."""
    in_pool = [
        announcement for announcement in announcements(client) if announcement.presence.pool == pool
    ]
    keys = [pause_key(announcement.presence.name) for announcement in in_pool]
    return any(announcement.paused for announcement in in_pool) or bool(
        keys and client.exists(*keys)
    )


def _is_settled(
    current: "Sequence[Announcement]", working: Sequence[str], paused: Sequence[str]
) -> bool:
    """Whether the working workers take chunks, and the paused ones neither take nor hold any."""
    by_name = {announcement.presence.name: announcement for announcement in current}
    all_work = all(name in by_name and by_name[name].presence.slots for name in working)
    to_pause = [by_name[name] for name in paused if name in by_name]
    return all_work and all(
        not announcement.presence.slots and not announcement.holds for announcement in to_pause
    )


def _wait_for(condition: Callable[[], bool], failure: str) -> None:
    if not poll_until(condition, SETTLE_S):
        raise ClusterError(failure)
