"""Which workers are there: on which host, for which pool, with how many slots."""

import json
from typing import TYPE_CHECKING, cast

from workers.errors import ClusterError
from workers.presence import INDEX_KEY, Presence, presence_key

if TYPE_CHECKING:
    import redis


def present_workers(client: "redis.Redis") -> list[Presence]:
    """All workers that announced themselves within the last seconds, by name."""
    found = cast("set[bytes]", client.smembers(INDEX_KEY))
    names = sorted(name.decode() for name in found)
    if not names:
        return []
    payloads = client.mget([presence_key(name) for name in names])
    return [Presence.from_json(json.loads(payload)) for payload in payloads if payload]


def workers_of(client: "redis.Redis", pool: str) -> list[Presence]:
    """The workers of one pool; raises ``ClusterError`` if there is none."""
    present = present_workers(client)
    found = [worker for worker in present if worker.pool == pool]
    if not found:
        others = ", ".join(sorted({worker.pool for worker in present})) or "none"
        raise ClusterError(
            f"no worker consumes queue {pool!r} (pools present: {others});"
            f" start one: python -m workers {pool}"
        )
    return found
