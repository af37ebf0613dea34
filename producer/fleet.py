"""Which workers are there: on which host, for which pool, with how many slots, what they used."""

import json
import logging
import uuid
from typing import TYPE_CHECKING, cast

from workers.errors import ClusterError
from workers.presence import INDEX_KEY, Presence, presence_key, question_key
from workers.usage import Usage

if TYPE_CHECKING:
    import redis

ANSWER_S = 2
"""Seconds for an idle worker to tell its usage; it takes milliseconds. Less than the socket's
timeout."""

logger = logging.getLogger(__name__)


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
    client: "redis.Redis", pool: str, *, reset_peak: bool = False
) -> dict[str, Usage]:
    """What the workers of a pool used so far, by name and process id.

    One that does not answer is left out with a warning: a run is not lost over its figures.
    """
    asked = {worker.name: worker for worker in present_workers(client) if worker.pool == pool}
    reply_to = f"poolrace:answer:{uuid.uuid4().hex}"
    question = json.dumps({"reply_to": reply_to, "reset_peak": reset_peak})
    with client.pipeline(transaction=False) as pipe:
        for name in asked:
            pipe.rpush(question_key(name), question)
            pipe.expire(question_key(name), ANSWER_S)
        pipe.execute()
    usages = {}
    while asked and (answer := client.blpop([reply_to], timeout=ANSWER_S)):
        told = json.loads(answer[1])
        worker = asked.pop(told["name"])
        usages[f"{worker.name} {worker.pid}"] = Usage(**told["usage"])
    if asked:
        logger.warning("no usage from %s: it is not counted", ", ".join(asked))
    return usages
