"""Waiting for what other programs do, and nobody announces: looks, and looks again."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_S = 0.05


def poll_until(look: Callable[[], T], timeout_s: float, poll_s: float = POLL_S) -> T:
    """What ``look`` returned last: something true, or else, after so many seconds, what is not."""
    deadline = time.monotonic() + timeout_s
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(poll_s)  # it is other programs' doing, of which nothing tells
    return found
