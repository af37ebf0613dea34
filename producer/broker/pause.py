"""How many hosts of a pool work in a run: the others rest meanwhile.

A worker rests for as long as a key is there for it that expires within seconds. So whatever
becomes of the producer, even ``kill -9``, every host comes back by itself.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

import redis

from poolrace.producer.broker.client import connect, translated
from poolrace.producer.broker.workers import announcements, pool_workers
from poolrace.producer.processes.polling import poll_until
from poolrace.producer.settings import Settings
from poolrace.workers.errors import ClusterError
from poolrace.workers.runtime.presence import pause_key

if TYPE_CHECKING:
    from poolrace.workers.runtime.presence import Announcement, Presence

PAUSE_S = 5
"""Seconds after which a host that nobody asks any more comes back; it is asked every second."""

SETTLE_S = 20.0
"""Seconds for hosts to do as they are told; it takes 2 to 4, and the chunk that a host is at."""

logger = logging.getLogger(__name__)


class PoolHosts:
    """The hosts of a pool, by name: of these the first ones work.

    Raises ``ClusterError`` if there is none, or while another producer lets some of them rest.
    """

    def __init__(self, settings: Settings, pool: str) -> None:
        self._settings = settings
        self._url = str(settings.broker_url)
        with self._client() as client:
            _wait_for(
                lambda: not _resting(client, pool),
                f"hosts of pool {pool} rest for another producer; wait until it is done",
            )
            self.workers: list[Presence] = pool_workers(client, pool)

    @contextmanager
    def only(self, number: int) -> Iterator[None]:
        """So many of the hosts work within the context, and no other one.

        Raises ``ClusterError`` if they do not settle.
        """
        names = [worker.name for worker in self.workers]
        with self._client() as client, _asked(client, names[number:]):
            _wait_for(
                lambda: _settled(announcements(client), names[:number], names[number:]),
                f"the hosts {', '.join(names)} did not settle: the first {number} should work,"
                " and the others rest; look at: producer status",
            )
            yield

    @contextmanager
    def _client(self) -> "Iterator[redis.Redis]":
        with translated(self._url), closing(connect(self._url, self._settings.ca_file)) as client:
            yield client


@contextmanager
def _asked(client: "redis.Redis", names: Sequence[str]) -> Iterator[None]:
    """Ask these workers to rest, again and again until the context is left."""
    over = threading.Event()

    def ask() -> None:
        while not over.wait(1.0):
            try:
                _ask(client, names)
            except redis.RedisError as error:
                logger.warning("hosts not asked to rest, tried again: %s", error)

    _ask(client, names)
    thread = threading.Thread(target=ask, name="rest", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        with suppress(redis.RedisError):  # then they expire
            _forget(client, names)


def _ask(client: "redis.Redis", names: Sequence[str]) -> None:
    with client.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.set(pause_key(name), 1, ex=PAUSE_S)
        pipe.execute()


def _forget(client: "redis.Redis", names: Sequence[str]) -> None:
    if names:
        client.delete(*map(pause_key, names))


def _resting(client: "redis.Redis", pool: str) -> bool:
    """Whether a worker of the pool rests, or was asked to."""
    ours = [sign for sign in announcements(client) if sign.presence.pool == pool]
    asked = [pause_key(sign.presence.name) for sign in ours]
    return any(sign.paused for sign in ours) or bool(asked and client.exists(*asked))


def _settled(
    told: "Sequence[Announcement]", working: Sequence[str], resting: Sequence[str]
) -> bool:
    """Whether those that work take chunks, and those that rest take and hold none."""
    by_name = {sign.presence.name: sign for sign in told}
    at_work = all(name in by_name and by_name[name].presence.slots for name in working)
    left = (by_name[name] for name in resting if name in by_name)
    return at_work and all(not sign.presence.slots and not sign.holds for sign in left)


def _wait_for(condition: Callable[[], bool], otherwise: str) -> None:
    if not poll_until(condition, SETTLE_S):
        raise ClusterError(otherwise)
