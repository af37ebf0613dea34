"""Provides the Redis of a race: a private one, or a key prefix in a given one."""

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from poolrace.producer.broker.client import connect, translate_errors
from poolrace.producer.cluster.lifecycle import temporary
from poolrace.producer.race.cleanup import cleaned_up
from poolrace.producer.settings import Settings

if TYPE_CHECKING:
    import redis

LARGEST = "512mb"
"""Largest size of a result or an argument of a user's task: Redis's own default."""


@dataclass(frozen=True)
class Sandbox:
    """A Redis, and the prefix of all keys and task ids of the race in it."""

    url: str
    prefix: str
    client: "redis.Redis"


@contextmanager
def open_sandbox(broker: str | None) -> Iterator[Sandbox]:
    """Start a private Redis that is stopped afterwards, or connect to the given one.

    The race's keys are deleted from a given Redis afterwards, even if this process is killed.
    Raises ``ClusterError`` if it does not answer.
    """
    if broker is None:
        with (
            temporary(Settings(), {}, largest_value=LARGEST) as cluster,
            _connected(cluster.broker_url) as sandbox,
        ):
            yield sandbox
        return
    with _connected(broker) as sandbox, cleaned_up(broker, sandbox.prefix):
        yield sandbox


@contextmanager
def _connected(url: str) -> Iterator[Sandbox]:
    with closing(connect(url)) as client, translate_errors(url):
        yield Sandbox(url, f"poolrace-{secrets.token_hex(4)}-", client)
