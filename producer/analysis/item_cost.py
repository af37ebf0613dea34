"""What an item costs while no other runs, and how items of a lap compare with that. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

from poolrace.producer.results.race import Lap

MESSAGE_S = (0.0005, 0.003)
"""CPU seconds of a message in a solo worker, least and most; 0.7 to 2.4 ms were measured. CPU time
beyond that, outside of the thread that runs the item, is the item's own."""

BETWEEN = 1.4
"""Ratio of the time between two items of a slot to the CPU time of a message, at most; 1.2 to 1.3
were measured on a quiet machine."""

IDLE = 0.85
"""Share of the slots that run items, below which slots wait for messages."""

LONGER = 1.3
"""Ratio of the running times of items, to that of one alone, from which they wait for each
other."""

BLOCKED_OVERLAP = 1.5
"""Mean number of greenlets that run at a time, below which they count as blocked."""

WAITING = 0.5
"""Share of its running time that a task waits, from which it counts as one that waits."""


@dataclass(frozen=True)
class ItemCost:
    """Seconds that one item takes while no other runs, from the base laps."""

    running_s: float
    """Seconds between its start and its end, without the time in which it waited for a core."""
    own_cpu_s: float
    """CPU seconds of the thread that runs it."""
    other_cpu_s: float
    """CPU seconds outside of that thread that are the item's own, as of subprocesses."""
    message_s: float
    """CPU seconds of its message in the base's worker."""
    slot_s: float
    """Seconds that it keeps its slot, including the time between two items."""

    @property
    def waiting_share(self) -> float:
        """Share of the running time in which the item neither computes nor waits for a core."""
        if self.running_s <= 0:
            return 0.0
        return min(1.0, max(0.0, 1 - (self.own_cpu_s + self.other_cpu_s) / self.running_s))


def item_cost(base: Sequence[Lap]) -> ItemCost:
    """The cost of an item from the base laps, in which one item runs at a time."""
    number = max(sum(lap.executions for lap in base), 1)
    running_s = fsum(lap.running_total_s - lap.core_wait_s for lap in base) / number
    own_s = fsum(lap.own_cpu_s for lap in base) / number
    besides_s = max(0.0, fsum(lap.cpu_s for lap in base) / number - own_s)
    least_s, most_s = MESSAGE_S
    message_s = min(max(besides_s, least_s), most_s)
    kept_s = fsum(lap.wall_s - lap.core_wait_s for lap in base) / number
    return ItemCost(
        running_s=max(running_s, 1e-6),
        own_cpu_s=own_s,
        other_cpu_s=max(0.0, besides_s - message_s),
        message_s=message_s,
        slot_s=max(running_s, min(kept_s, running_s + BETWEEN * message_s), own_s + least_s),
    )


def speed_of(lap: Lap) -> float:
    """Executions/s of a lap; failed items count."""
    return lap.items_per_s * lap.executions / lap.items if lap.items else 0.0


def is_blocked(lap: Lap, item: ItemCost) -> bool:
    """Whether the greenlets of a lap all stood still while one of them waited."""
    return (
        lap.candidate.pool == "gevent"
        and lap.candidate.concurrency >= 4
        and item.waiting_share >= WAITING
        and lap.running_total_s < BLOCKED_OVERLAP * lap.candidate.workers * lap.wall_s
    )


def has_idle_slots(lap: Lap, item: ItemCost) -> bool:
    """Whether slots waited for messages, while items ran no longer than alone."""
    overlap = lap.running_total_s / max(lap.wall_s, 1e-9)
    return overlap < IDLE * lap.candidate.slots and not takes_longer(lap, item)


def takes_longer(lap: Lap, item: ItemCost) -> bool:
    """Whether items of a lap ran clearly longer than one alone, waiting for cores aside."""
    running_s = (lap.running_total_s - lap.core_wait_s) / lap.executions
    return running_s > LONGER * item.running_s
