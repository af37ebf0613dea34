"""Where a race takes place: a Redis of its own, or a corner of a given one."""

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from poolrace.producer.broker.client import connect, translate_errors
from poolrace.producer.cluster.lifecycle import temporary
from poolrace.producer.settings import Settings

if TYPE_CHECKING:
    import redis

LARGEST = "512mb"
"""What a result or an argument of somebody else's task may take: Redis' own default."""


@dataclass(frozen=True)
class Sandbox:
    """A Redis, and what all keys and task ids of the race begin with."""

    url: str
    prefix: str
    client: "redis.Redis"


@contextmanager
def place(broker: str | None) -> Iterator[Sandbox]:
    """A private Redis that ends with us, or the given one, which is left as it was.

    Raises ``ClusterError`` if the given one does not answer.
    """
    if broker is None:
        with (
            temporary(Settings(), {}, largest=LARGEST) as cluster,
            _corner(cluster.broker_url) as found,
        ):
            yield found
        return
    with _corner(broker) as found:
        try:
            yield found
        finally:
            _clean(found)


@contextmanager
def _corner(url: str) -> Iterator[Sandbox]:
    with closing(connect(url)) as client, translate_errors(url):
        yield Sandbox(url, f"poolrace-{secrets.token_hex(4)}-", client)


def _clean(found: Sandbox) -> None:
    """Remove every key of the race."""
    keys = list(found.client.scan_iter(match=f"{found.prefix}*", count=1000))
    for first in range(0, len(keys), 1000):
        found.client.unlink(*keys[first : first + 1000])
