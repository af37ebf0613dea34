"""The description of a fleet: simulated hosts, the speeds of their slots, the costs of messages.

Pure. Every class raises ``UsageError`` for a value that cannot be simulated.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property

from poolrace.workers.errors import UsageError

MAX_SLOTS = 200_000
"""Slots of a fleet at most. A chunk takes about 40 microseconds to simulate, and each slot needs
several."""

MAX_SPEED = 1e6
"""Work seconds that a slot computes per second, at most."""

IndexTimes = Callable[[int, int], tuple[float, float]]
"""A function that returns the seconds which the indices ``[start, stop)`` compute on a slot of
speed 1, and the seconds which they wait on any slot."""


@dataclass(frozen=True, slots=True)
class SlotSpeed:
    """The speed of a slot: ``speed`` seconds of work per second, multiplied by the last change.

    ``changes`` holds pairs, in order: the second of the run, and the factor from then on. A factor
    of 0 stalls the slot. The factors are time that the slot's core spends on other programs: they
    change the duration of a chunk, but not its CPU time.
    """

    speed: float = 1.0
    changes: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.speed <= MAX_SPEED:
            raise UsageError(f"speed {self.speed:g}: give more than 0, at most {MAX_SPEED:g}")
        times = [at_s for at_s, _ in self.changes]
        if not all(0 <= at_s < math.inf for at_s in times) or times != sorted(times):
            raise UsageError(f"changes of speed at {times}: give seconds from 0 on, in order")
        for _, factor in self.changes:
            if not 0 <= factor <= MAX_SPEED:
                raise UsageError(f"factor {factor:g} of a speed: give 0 to {MAX_SPEED:g}")
        if self.changes and not self.changes[-1][1]:
            raise UsageError("the last factor of a speed is 0: a slot must not stall for ever")

    def end_s(self, began_s: float, work_s: float) -> float:
        """The second at which ``work_s`` seconds of work end that begin at ``began_s``."""
        now_s, left_s, speed = began_s, work_s, self.speed
        for at_s, factor in self.changes:
            if at_s > now_s:
                if speed * (at_s - now_s) >= left_s:
                    break
                left_s -= speed * (at_s - now_s)
                now_s = at_s
            speed = self.speed * factor
        return now_s + left_s / speed if left_s else now_s


@dataclass(frozen=True)
class FleetHost:
    """A host: the speeds of its slots, and the seconds at which it joins, leaves or dies.

    A host that leaves finishes its chunks; one that dies loses them. With ``cores``, the slots are
    threads or greenlets of one process, which share these cores; the process's messages use them,
    too. Without, each slot has a core of its own, and one more process takes the messages.
    """

    slots: tuple[SlotSpeed, ...]
    joins_s: float = 0.0
    leaves_s: float = math.inf
    dies_s: float = math.inf
    cores: int | None = None

    def __post_init__(self) -> None:
        if not self.slots:
            raise UsageError("a host has 0 slots; give 1 or more")
        if self.cores is not None and self.cores < 1:
            raise UsageError(f"a host has {self.cores} cores; give 1 or more")
        if self.cores and any(slot.changes for slot in self.slots):
            raise UsageError("changes of speed: give them to slots that share no cores")
        if not 0 <= self.joins_s < math.inf:
            raise UsageError(f"a host joins at {self.joins_s:g} s; give 0 or more")
        for what, at_s in (("leaves", self.leaves_s), ("dies", self.dies_s)):
            if not at_s > self.joins_s:
                raise UsageError(
                    f"a host {what} at {at_s:g} s; give more than the {self.joins_s:g} s"
                    " at which it joins"
                )

    @classmethod
    def equal(cls, slots: int, speed: float = 1.0, cores: int | None = None) -> "FleetHost":
        """A host with equal slots."""
        _require_slots(slots)
        return cls((SlotSpeed(speed),) * slots, cores=cores)


@dataclass(frozen=True)
class MessageCosts:
    """Seconds that one message takes in the producer, in Redis, in a worker, and on its way."""

    latency_s: float = 0.0002
    """Seconds from one program to another."""
    jitter_s: float = 0.0
    """Seconds of the mean of an exponentially distributed delay of each message to Redis."""
    send_s: float = 0.0001
    """CPU seconds of the producer to send a message."""
    receive_s: float = 0.0001
    """CPU seconds of the producer to receive a result."""
    redis_s: float = 0.00003
    """CPU seconds of Redis for a message, and again for its result."""
    host_s: float = 0.0004
    """CPU seconds of the one process of a host that takes messages, one after the other."""
    slot_s: float = 0.0006
    """Seconds that a slot spends on a message and its result besides computing."""
    lost: float = 0.0
    """Share of the messages that are lost on their way to a worker."""
    lost_results: float = 0.0
    """Share of the results that are stored, but not delivered."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value, most = getattr(self, field.name), 60.0
            if field.name.startswith("lost"):
                most = 0.5
            if not 0 <= value <= most:
                raise UsageError(f"{field.name} {value:g}: give 0 to {most:g}")


@dataclass(frozen=True)
class Fleet:
    """Hosts and message costs; ``seed`` decides which messages are lost or late."""

    hosts: tuple[FleetHost, ...]
    costs: MessageCosts = MessageCosts()
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.hosts:
            raise UsageError("the fleet has 0 hosts; give 1 or more")
        _require_slots(self.slots)
        if not any(host.joins_s == 0 for host in self.hosts):
            raise UsageError("no host joins at 0 s; a run begins with 1 host or more")

    @classmethod
    def equal(cls, hosts: int, slots: int, costs: MessageCosts | None = None) -> "Fleet":
        """A fleet of equal hosts with this number of slots each."""
        _require_slots(hosts * slots)
        return cls((FleetHost.equal(slots),) * hosts, costs or MessageCosts())

    @cached_property
    def slots(self) -> int:
        """Number of slots of all hosts."""
        return sum(len(host.slots) for host in self.hosts)


def _require_slots(slots: int) -> None:
    if not 1 <= slots <= MAX_SLOTS:
        raise UsageError(f"{slots:,} slots: give 1 to {MAX_SLOTS:,}")
