"""kombu's transport for Redis that refuses at the door what no producer of ours sends.

Celery's consumer trusts the shape of a message: one whose envelope is no JSON object, or whose
body is no task, ends the worker (seen with Celery and kombu 5.7), and may be delivered again to
the next one. Here such a message is dropped with a warning before anything of Celery sees it.
The content of a well-formed message is the task's business, which answers with a failure.
"""

import base64
import binascii
import json
import logging
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis

from poolrace.workers.pools import POOLS

MAX_BODY_BYTES = 1_000_000
"""Many times what any producer sends. Redis refuses more than 1 MiB by its configuration."""

HEADERS: dict[str, tuple[type, ...]] = {
    "task": (str,), "id": (str,), "root_id": (str, type(None)), "parent_id": (str, type(None)),
    "argsrepr": (str,), "kwargsrepr": (str,), "shadow": (str, type(None)), "retries": (int,),
    "replaced_task_nesting": (int,), "ignore_result": (bool,),
}  # fmt: skip
"""What Celery reads of a message, and the types that it takes for granted."""

ABSENT: tuple[object, ...] = (None, [], {}, [None, None])
UNUSED = (
    "eta", "expires", "group", "group_index", "stamped_headers", "stamps", "timeout",
    "compression",
)  # fmt: skip
"""Features of Celery that no producer of ours uses, and that could run or delay something."""

logger = logging.getLogger(__name__)


class Refused(ValueError):
    """The message is none of ours, for the reason given."""


class Channel(redis.Channel):
    """Reads messages of queues, and drops what is no JSON."""

    do_restore = False
    """What a worker holds when its connection is lost does not go back into the queue: it goes on
    with it, and would take it once more (seen with kombu 5.7). The producer looks after it."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call] # kombu's own
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
            logger.warning("a message that is no JSON was refused: %s", type(error).__name__)
            return True  # it is out of the queue: the read is over


class Transport(redis.Transport):
    """Delivers to Celery only what ``require_ours`` lets pass."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str) -> None:
        if queue in POOLS:
            try:
                require_ours(message)
            except Refused as refused:
                logger.warning("a message in queue %s was refused: %s", queue, refused)
                return
        super()._deliver(message, queue)  # type: ignore[no-untyped-call] # kombu's own


def install() -> None:
    """Take the place of kombu's own transport for ``redis://`` and ``rediss://``.

    Celery's ``broker_transport`` would do the same, but then addresses are shown with the
    transport's name for a scheme, which Flower does not understand.
    """
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:{Transport.__name__}"


def require_ours(message: Any) -> None:
    """Raise ``Refused`` unless Celery can take ``message``, a decoded envelope, without harm."""
    envelope = _object("envelope", message)
    headers = _object("headers", envelope.get("headers"))
    properties = _object("properties", envelope.get("properties"))
    where = _object("delivery_info", properties.get("delivery_info"))
    if (envelope.get("content-type"), envelope.get("content-encoding")) != (
        "application/json",
        "utf-8",
    ):
        raise Refused("its content is not application/json in utf-8")
    _require_types("header", headers, HEADERS)
    _require_types("property", properties, {"delivery_tag": (str,), "body_encoding": (str,)})
    _require_types("delivery_info", where, {"exchange": (str,), "routing_key": (str,)})
    limits = headers.get("timelimit", [None, None])
    if type(limits) is not list or {type(it) for it in limits} - {int, float, type(None)}:
        raise Refused("its header timelimit is not a list of seconds")
    for name in UNUSED:
        if headers.get(name) not in ABSENT:
            raise Refused(f"its header {name} is set")
    _require_call(_body(envelope.get("body"), properties["body_encoding"]))


def _body(body: Any, encoding: str) -> Any:
    if not isinstance(body, str) or encoding != "base64":
        raise Refused("its body is not text in base64")
    if len(body) > MAX_BODY_BYTES * 4 / 3:
        raise Refused(f"its body has {len(body)} characters")
    try:
        return json.loads(base64.b64decode(body, validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise Refused(f"its body is no JSON: {type(error).__name__}") from error


def _require_call(body: Any) -> None:
    """The body of Celery's protocol 2: arguments, keyword arguments, what to call afterwards."""
    if not isinstance(body, list) or [type(part) for part in body] != [list, dict, dict]:
        raise Refused("its body is no call of a task")
    if any(then not in ABSENT for then in body[2].values()):
        raise Refused("it asks for a call of something else afterwards")


def _object(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refused(f"its {name} is not an object")
    return value


def _require_types(kind: str, values: dict[str, Any], wanted: dict[str, tuple[type, ...]]) -> None:
    for name, types in wanted.items():
        if type(values.get(name)) not in types:
            raise Refused(f"its {kind} {name} is missing or of another type")
