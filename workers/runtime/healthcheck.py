"""A worker's sign of life for health checks: a file whose time is now.

It depends on neither the broker nor Celery's consumer: a ping would call a solo or gevent
worker dead that only computes, and every worker that waits for Redis. A thread (under gevent
a greenlet) touches the file every second as long as no chunk of this process stands still. So
the file grows old when the process is dead, stopped or held up, and when a chunk hangs.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

BEAT_S = 1.0
"""Seconds between two beats; a health check should allow for ten of them."""

logger = logging.getLogger(__name__)


class Heartbeat(threading.Thread):
    """Touches ``path`` every second while ``sound()`` holds."""

    def __init__(self, path: Path, sound: Callable[[], bool]) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._path = path
        self._sound = sound
        self._over = threading.Event()

    def run(self) -> None:
        """Beat for as long as the process lives, or until ``end``."""
        while not self._over.is_set():
            try:
                if self._sound():
                    self._path.touch()
            except OSError as error:
                logger.warning("no heartbeat: %s", error)
            self._over.wait(BEAT_S)

    def end(self) -> None:
        """Beat no more."""
        self._over.set()
