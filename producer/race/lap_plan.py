"""The plan of a lap: its limits. Pure."""

import sys
from dataclasses import dataclass

from poolrace.producer.results.race import Kind


@dataclass(frozen=True)
class LapPlan:
    """Limits of a lap: the number of its items, and its time."""

    kind: Kind
    round: int
    first: int
    """Number of the first item."""
    window_s: float
    """Seconds in which items are sent."""
    min_items: int
    """Number of items that are sent even if the window is over."""
    max_items: int
    prefetch: int
    """Celery's prefetch multiplier of the candidate."""
    patience_s: float
    """Seconds without any finished item after which the lap counts as lost."""
    deadline: float
    """Time of the monotonic clock at which the lap is given up."""
    item_s: float = 0.0
    """Duration of the shortest item so far in seconds, 0 if none has finished."""
    slow_below: float = 0.0
    """Items/s below which the lap ends early, because the candidate is slow."""
    most_bytes: int = sys.maxsize
    """Memory of the workers, at most; a lap in which they take more ends early."""
    evenly: bool = False
    """Whether each worker gets as many items as any other one, by a queue of its own."""
    queued_items: int = 0
    """Number of items that are sent even if the window is over, if they take longer than
    ``item_s``."""
