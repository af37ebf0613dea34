"""Publishes items as Celery messages.

Each message is built once and copied, because publishing competes with the workers for the same
cores: by Celery it takes the producer 0.3 ms of CPU time a message, by copying 0.02 ms.
"""

import base64
import json
from collections.abc import Sequence
from functools import cache
from itertools import count
from typing import Any

from celery import Celery
from kombu.exceptions import SerializerNotInstalled
from kombu.serialization import dumps, registry

from poolrace.producer.race.items import Item
from poolrace.producer.race.sandbox import Sandbox

ID = "id-of-this-copy"
"""Placeholder in a message for the task id."""

TAG = "tag-of-this-copy"
"""Placeholder in a message for the delivery tag."""

QUEUE = "queue-of-this-copy"
"""Placeholder in a message for the queue."""

KEY_SEPARATORS = ("", "_")
"""Text between key prefix and key of a result; it depends on the version of Celery."""


class Publisher:
    """Sends items to queues of the race; every message has an id of its own."""

    def __init__(self, sandbox: Sandbox, task: str, serializer: str, items: Sequence[Item]) -> None:
        self._sandbox = sandbox
        self._task = task
        self._numbers = count()
        # No fixups: DJANGO_SETTINGS_MODULE is the user's, and Django may not be installed here.
        self._app = Celery("poolrace", set_as_current=False, fixups=[])
        self._serializer = serializer if _is_installed(serializer) else "json"
        self.use_items(items)

    def use_items(self, items: Sequence[Item]) -> None:
        """Send these items from now on."""
        self._items = items
        self._message = cache(
            lambda number: _message(self._app, self._task, self._serializer, items[number])
        )

    def send(self, queue: str, first: int, number: int) -> list[str]:
        """Send ``number`` items, beginning with item ``first``; returns their task ids.

        After the last item the first one follows again.
        """
        ids = [f"{self._sandbox.prefix}{next(self._numbers)}" for _ in range(number)]
        messages = [
            self._message((first + offset) % len(self._items))
            .replace(ID, task_id)
            .replace(TAG, task_id)
            .replace(QUEUE, queue)
            for offset, task_id in enumerate(ids)
        ]
        if messages:
            self._sandbox.client.lpush(f"{self._sandbox.prefix}{queue}", *messages)
        return ids

    def delete_queue(self, queue: str) -> None:
        """Delete the items of this queue, which no worker has fetched yet."""
        self._sandbox.client.unlink(f"{self._sandbox.prefix}{queue}")

    def delete_results(self, ids: Sequence[str]) -> None:
        """Delete the results of these tasks: they are never read, and may be large."""
        keys = [
            f"{self._sandbox.prefix}{separator}celery-task-meta-{task_id}"
            for task_id in ids
            for separator in KEY_SEPARATORS
        ]
        if keys:
            self._sandbox.client.unlink(*keys)


def _is_installed(serializer: str) -> bool:
    """Whether the producer has the app's serializer; without it, messages use JSON."""
    try:
        dumps([], serializer)
    except SerializerNotInstalled:
        return False
    return serializer in registry.name_to_type


def _message(app: Celery, task: str, serializer: str, item: Item) -> str:
    """A message as kombu puts it into a list of Redis (Celery's protocol 2)."""
    message: Any = app.amqp.as_task_v2(ID, task, args=item.args, kwargs=item.kwargs)
    content_type, encoding, body = dumps(message.body, serializer)
    raw = body.encode() if isinstance(body, str) else body
    properties = {
        **message.properties,
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": QUEUE},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": TAG,
    }
    return json.dumps({
        "body": base64.b64encode(raw).decode(),
        "content-encoding": encoding,
        "content-type": content_type,
        "headers": message.headers,
        "properties": properties,
    })  # fmt: skip
