"""Pauses and resumes the consumer of a Celery worker; it finishes the chunks that it holds.

Celery's remote control could do the same, but a solo worker does not read remote control messages
while it computes, and a producer that died could not resume the consumer.
"""

import logging
import time
from typing import Any

SETTLE_S = 1.5
"""Seconds after a pause within which a pending read may still take a chunk: kombu's BRPOP waits for
one second."""

logger = logging.getLogger(__name__)


class ConsumerPause:
    """Pauses and resumes the consumer of one queue. ``consumer`` is Celery's."""

    def __init__(self, consumer: Any, queue: str) -> None:
        self._consumer = consumer
        self._queue = queue
        self._pause_requested = False
        self._paused_at: float | None = None

    def request(self, pause: bool) -> bool:  # noqa: FBT001 # the two states of a consumer
        """Pause or resume; returns whether the consumer is paused by now. Thread-safe.

        Call it repeatedly: Celery forgets a pause when it loses its connection.
        """
        self._pause_requested = pause
        if pause != (self._paused_at is not None):
            self._consumer.call_soon(self._apply)
        return self._paused_at is not None and time.monotonic() - self._paused_at > SETTLE_S

    def _apply(self) -> None:
        """Apply the request, in the consumer's thread: only that thread may use its connection."""
        if self._pause_requested == (self._paused_at is not None):
            return
        if self._pause_requested:
            self._paused_at = time.monotonic()
            self._consumer.cancel_task_queue(self._queue)
        else:
            self._paused_at = None
            self._consumer.add_task_queue(self._queue)
