"""A worker's consumer can rest: it takes nothing from its queue until it is told otherwise.

What it holds it finishes. Celery's remote control could say so too, but a solo worker does not
hear that while it computes, and a producer that died could not take it back.
"""

import logging
import time
from typing import Any

LAST_TAKE_S = 1.5
"""Seconds after which no request to Redis is under way that may still take a chunk: kombu's BRPOP
waits for one second."""

logger = logging.getLogger(__name__)


class ConsumerPause:
    """Pauses the consumer of one worker. ``consumer`` is Celery's."""

    def __init__(self, consumer: Any, queue: str) -> None:
        self._consumer = consumer
        self._queue = queue
        self._wanted = False
        self._since: float | None = None

    def __call__(self, wanted: bool) -> bool:  # noqa: FBT001 # it is all there is to say
        """Pause or resume; returns whether the consumer takes nothing any more. Thread-safe.

        To be called again and again: what Celery forgot when its connection was lost is said
        anew.
        """
        self._wanted = wanted
        if wanted != (self._since is not None):
            self._consumer.call_soon(self._obey)
        return self._since is not None and time.monotonic() - self._since > LAST_TAKE_S

    def _obey(self) -> None:
        """In the thread of the consumer, which alone may use its connection."""
        if self._wanted == (self._since is not None):
            return
        if self._wanted:
            self._since = time.monotonic()
            self._consumer.cancel_task_queue(self._queue)
        else:
            self._since = None
            self._consumer.add_task_queue(self._queue)
