"""Polls a condition that another program changes without a notification."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_S = 0.05
"""Seconds between two checks of the condition, unless the caller gives another number."""


def poll_until(condition: Callable[[], T], timeout_s: float, poll_s: float = POLL_S) -> T:
    """Call ``condition`` until it returns a true value; returns the last value.

    After ``timeout_s`` seconds the last value is returned, even if it is false.
    """
    deadline = time.monotonic() + timeout_s
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(poll_s)  # no notification tells when another program changes it
    return value
