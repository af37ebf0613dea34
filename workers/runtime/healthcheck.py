"""Touches a worker's heartbeat file; the health check of a container reads its age.

The heartbeat depends on neither the broker nor Celery's consumer: ``celery inspect ping`` would
report a solo or gevent worker as dead while it computes, and every worker while Redis is
unreachable. A thread (under gevent a greenlet) touches the file every second unless a chunk of this
process has hung. So the file grows old when the process is dead, stopped or blocked, or when a
chunk hangs.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

TOUCH_S = 1.0
"""Seconds between two touches of the file; a health check should tolerate ten missed touches."""

logger = logging.getLogger(__name__)


class Heartbeat(threading.Thread):
    """Touches the file ``path`` every second while ``healthy()`` is true."""

    def __init__(self, path: Path, healthy: Callable[[], bool]) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._path = path
        self._healthy = healthy
        self._stopped = threading.Event()

    def run(self) -> None:
        """Touch the file until ``stop``, or for as long as the process lives."""
        while not self._stopped.is_set():
            try:
                if self._healthy():
                    self._path.touch()
            except OSError as error:
                logger.warning("cannot touch the heartbeat file: %s", error)
            self._stopped.wait(TOUCH_S)

    def stop(self) -> None:
        """Stop touching the file."""
        self._stopped.set()
