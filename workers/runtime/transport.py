"""kombu's transport for Redis, which drops malformed messages before they reach Celery.

Celery's consumer does not check the shape of a message: one whose envelope is not a JSON object,
or whose body is not a task call, ends the worker (seen with Celery and kombu 5.7), and may be
delivered to the next worker. This transport drops such a message with a warning. The task itself
checks the arguments of a well-formed message, and fails if they are wrong.
"""

import base64
import binascii
import json
import logging
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis

from poolrace.workers.protocol import QUEUE_EXPIRE_S, QUEUES

MAX_BODY_BYTES = 1_000_000
"""Bytes of a message body, at most; producers of poolrace send far less. Redis is configured to
refuse more than 1 MiB."""

HEADERS: dict[str, tuple[type, ...]] = {
    "task": (str,), "id": (str,), "root_id": (str, type(None)), "parent_id": (str, type(None)),
    "argsrepr": (str,), "kwargsrepr": (str,), "shadow": (str, type(None)), "retries": (int,),
    "replaced_task_nesting": (int,), "ignore_result": (bool,),
}  # fmt: skip
"""Types of the header fields that Celery reads without checking, by name of the field."""

UNSET_VALUES: tuple[object, ...] = (None, [], {}, [None, None])
"""Values by which a header or an option of a task call counts as not set."""

FORBIDDEN_HEADERS = (
    "eta", "expires", "group", "group_index", "stamped_headers", "stamps", "timeout",
    "compression",
)  # fmt: skip
"""Headers that poolrace does not use, of Celery features that could run or delay a task."""

logger = logging.getLogger(__name__)


class InvalidMessage(ValueError):
    """The message was not sent by poolrace, or is malformed; the text says why."""


class Channel(redis.Channel):
    """Sends messages to queues that expire; drops messages that are not JSON."""

    do_restore = False
    """Whether kombu puts the messages that a worker holds back into the queue when the connection
    is lost. The worker still runs them, and would take them a second time (seen with kombu 5.7).
    The producer sends lost chunks again."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call] # kombu's own
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
            logger.warning("dropped a message that is not JSON: %s", type(error).__name__)
            return True  # the message is out of the queue: the read is over

    def _put(self, queue: str, message: Any, **options: Any) -> None:
        """Add a message to a queue, and have the queue expire."""
        super()._put(queue, message, **options)  # type: ignore[no-untyped-call] # kombu's own
        if batch := options.get("_publish_batch"):
            # kombu's own x-expires costs four commands per message, and one more per read.
            batch.add("expire", queue, QUEUE_EXPIRE_S)


class Transport(redis.Transport):
    """Delivers to Celery only the messages that pass ``check_message``."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str) -> None:
        if queue in QUEUES:
            try:
                check_message(message)
            except InvalidMessage as invalid:
                logger.warning("dropped a message from queue %s: %s", queue, invalid)
                return
        super()._deliver(message, queue)  # type: ignore[no-untyped-call] # kombu's own


def install() -> None:
    """Replace kombu's own transport for ``redis://`` and ``rediss://``.

    Celery's setting ``broker_transport`` would do the same, but then broker URLs show the
    transport's name as their scheme, which Flower does not understand.
    """
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:{Transport.__name__}"


def check_message(message: Any) -> None:
    """Raise ``InvalidMessage`` unless Celery can handle ``message``, a decoded envelope."""
    envelope = _object("envelope", message)
    headers = _object("headers", envelope.get("headers"))
    properties = _object("properties", envelope.get("properties"))
    delivery_info = _object("delivery_info", properties.get("delivery_info"))
    if (envelope.get("content-type"), envelope.get("content-encoding")) != (
        "application/json",
        "utf-8",
    ):
        raise InvalidMessage("its content is not application/json in utf-8")
    _require_types("header", headers, HEADERS)
    _require_types("property", properties, {"delivery_tag": (str,), "body_encoding": (str,)})
    _require_types("delivery_info", delivery_info, {"exchange": (str,), "routing_key": (str,)})
    limits = headers.get("timelimit", [None, None])
    if type(limits) is not list or {type(limit) for limit in limits} - {int, float, type(None)}:
        raise InvalidMessage("its header timelimit is not a list of seconds")
    for name in FORBIDDEN_HEADERS:
        if headers.get(name) not in UNSET_VALUES:
            raise InvalidMessage(f"its header {name} is set")
    _require_call(_body(envelope.get("body"), properties["body_encoding"]))


def _body(body: Any, encoding: str) -> Any:
    if not isinstance(body, str) or encoding != "base64":
        raise InvalidMessage("its body is not text in base64")
    if len(body) > MAX_BODY_BYTES * 4 / 3:
        raise InvalidMessage(f"its body has {len(body)} characters, which is too long")
    try:
        return json.loads(base64.b64decode(body, validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise InvalidMessage(f"its body is not JSON: {type(error).__name__}") from error


def _require_call(body: Any) -> None:
    """Check the body of Celery's protocol 2: arguments, keyword arguments, and canvas options."""
    if not isinstance(body, list) or [type(part) for part in body] != [list, dict, dict]:
        raise InvalidMessage("its body is not a task call")
    if any(option not in UNSET_VALUES for option in body[2].values()):
        raise InvalidMessage("it has callbacks, a chain or a chord")


def _object(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidMessage(f"its {name} is not an object")
    return value


def _require_types(
    kind: str, values: dict[str, Any], expected: dict[str, tuple[type, ...]]
) -> None:
    for name, types in expected.items():
        if type(values.get(name)) not in types:
            raise InvalidMessage(f"its {kind} {name} is missing or of another type")
