"""Which workers are there: on which host, for which pool, with how many slots, what they used."""

import json
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from workers.errors import ClusterError
from workers.presence import INDEX_KEY, Presence, presence_key, question_key
from workers.usage import Usage

if TYPE_CHECKING:
    import redis

ANSWER_S = 3
"""Seconds for an idle worker to tell its usage; it takes milliseconds. Less than the socket's
timeout."""


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


def usage_of_workers(
    client: "redis.Redis", names: Sequence[str], *, reset_peak: bool = False
) -> Usage:
    """What these workers used so far, all together; raises ``ClusterError`` if one is silent."""
    reply_to = f"poolrace:answer:{uuid.uuid4().hex}"
    question = json.dumps({"reply_to": reply_to, "reset_peak": reset_peak})
    with client.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.rpush(question_key(name), question)
            pipe.expire(question_key(name), ANSWER_S)
        pipe.execute()
    total = Usage()
    for _ in names:
        answer = client.blpop([reply_to], timeout=ANSWER_S)
        if answer is None:
            raise ClusterError(
                f"a worker of {', '.join(names)} did not tell its usage within {ANSWER_S} s;"
                " look at: producer status"
            )
        total += Usage(**json.loads(answer[1]))
    return total
