"""Deletes the keys of a race from a given Redis when the race ends, even if it is killed.

``python -m poolrace.producer.race.cleanup``, with the address in ``CELERY_BROKER_URL`` and the
prefix of the keys in ``POOLRACE_PREFIX``: waits until its standard input ends, which the race
closes, or which ends with the race.
"""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from poolrace.producer.broker.client import connect
from poolrace.producer.processes.guard import STOP_S
from poolrace.workers.settings import inherited_environment

if TYPE_CHECKING:
    import redis

DELETE_AT_ONCE = 1000
"""Number of keys that one command deletes."""

WORKERS_END_S = STOP_S + 3.0
"""Seconds after a race was killed within which its workers end; until then they write keys."""

DELETE_S = 1.0
"""Seconds between two deletions of the keys of a race that was killed."""

STOPPED = b"the workers are stopped\n"
"""Line by which a race says that nothing writes keys any more."""

logger = logging.getLogger(__name__)


@contextmanager
def cleaned_up(url: str, prefix: str) -> Iterator[None]:
    """Delete all keys with the prefix when the block is left, or when this process ends."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "poolrace.producer.race.cleanup"],
        env=inherited_environment(CELERY_BROKER_URL=url, POOLRACE_PREFIX=prefix),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # out of reach of the terminal's Ctrl-C
    )
    try:
        yield
    finally:
        process.communicate(STOPPED)
        if process.returncode:
            logger.warning("the race's keys %s* were not deleted from Redis", prefix)


def main(url: str, prefix: str) -> None:
    """Delete the keys when standard input ends; repeatedly, if workers may still write some."""
    stopped = sys.stdin.buffer.read() == STOPPED
    deadline = time.monotonic() + (0.0 if stopped else WORKERS_END_S)
    with connect(url) as client:
        _delete_keys(client, prefix)
        while time.monotonic() < deadline:
            time.sleep(DELETE_S)  # nothing tells when the last worker of a killed race has ended
            _delete_keys(client, prefix)


def _delete_keys(client: "redis.Redis", prefix: str) -> None:
    keys = list(client.scan_iter(match=f"{prefix}*", count=DELETE_AT_ONCE))
    for first in range(0, len(keys), DELETE_AT_ONCE):
        client.unlink(*keys[first : first + DELETE_AT_ONCE])


if __name__ == "__main__":
    main(os.environ["CELERY_BROKER_URL"], os.environ["POOLRACE_PREFIX"])
