"""A simulation of more hosts: its calibration, and the figures of each simulated number of hosts.

Raw values only; nothing derived.
"""

from dataclasses import dataclass, field
from typing import Annotated

from msgspec import Meta

from poolrace.producer.results.fields import (
    Count,
    Name,
    PositiveCount,
    PositiveSeconds,
    ScheduleText,
    Seconds,
)


@dataclass(frozen=True)
class Calibration:
    """Costs of messages and indices that were measured on real hosts before the simulation."""

    pool: Name
    messages: PositiveCount
    """Number of messages whose costs were measured."""
    send_s: Seconds
    """CPU seconds of the producer to send a message."""
    receive_s: Seconds
    """CPU seconds of the producer to receive a result."""
    redis_s: Seconds
    """CPU seconds of Redis for a message, and again for its result."""
    host_s: Seconds
    """Seconds of the one process of a host that takes messages."""
    slot_s: Seconds
    """Seconds that a slot spends on a message besides computing."""
    latency_s: Seconds
    """Seconds from one program to another: half of a round trip to Redis."""
    work_s: Seconds
    """Seconds that a unit of the workload's cost computes on a slot."""
    wait_s: Seconds
    """Seconds that a unit of the workload's cost waits."""
    uneven: Seconds
    """Largest relative difference of a part of the range from the mean seconds of a unit."""
    elapsed_s: Seconds
    """Seconds that the calibration took."""


@dataclass(frozen=True)
class SimulatedCase:
    """The figures of one simulated number of hosts, in virtual seconds."""

    hosts: PositiveCount
    messages: Count
    producer_s: Seconds
    """CPU seconds of the producer."""
    redis_s: Seconds
    """CPU seconds of Redis."""
    slots_s: Seconds
    """Seconds that all slots computed or waited."""
    longest_chunk_s: Seconds
    longest_index_s: Seconds
    real_s: Seconds
    """Seconds of real time that the simulation took."""


@dataclass(frozen=True)
class Alternative:
    """The largest number of hosts, simulated again with another chunk size or more servers."""

    schedule: ScheduleText
    producers: PositiveCount
    redis_servers: PositiveCount
    elapsed_s: PositiveSeconds


@dataclass(frozen=True)
class RealHosts:
    """The times of a number of real hosts, and the simulated time of as many."""

    hosts: PositiveCount
    slots: PositiveCount
    """Number of slots of all hosts."""
    elapsed_s: Annotated[list[PositiveSeconds], Meta(min_length=1)]
    """Seconds of each real run."""
    simulated_s: PositiveSeconds


@dataclass(frozen=True)
class Simulation:
    """The parts of a simulated scaling series that a measured one does not have."""

    calibration: Calibration
    slots_per_host: PositiveCount
    cases: list[SimulatedCase]
    """One for each number of hosts, ascending."""
    alternatives: list[Alternative] = field(default_factory=list)
    real: list[RealHosts] = field(default_factory=list)
    """Real hosts that were measured beside the simulation; empty without ``--hosts``."""
