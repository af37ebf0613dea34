"""Finds the part of a simulated cluster that limits a run, by its share of the time. Pure."""

import math
from dataclasses import dataclass
from typing import Any, Literal

from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.run import Run
from poolrace.producer.results.simulation import Calibration, SimulatedCase, Simulation

Part = Literal["slots", "producer", "redis", "host", "network", "granularity"]
"""A part of a cluster that can limit a run. ``slots``: none but the work itself."""

BUSY = 0.9
"""Share of the time that the slots are busy with chunks, from which nothing else limits a run."""

ROOM = 0.8
"""Share of the time that a server may be busy, at most, without delaying the messages much."""

LATENCIES = 4
"""Number of times that a message and its result are on their way from one program to another."""


@dataclass(frozen=True)
class Saturation:
    """Shares of the elapsed time in which each part of the cluster is busy."""

    slots: float
    """Share of the time that the slots compute or wait for the workload, on average."""
    producer: float
    redis: float
    host: float
    """Share of the time that the process of a host is busy that takes messages."""
    network: float
    """Share of a slot's time in which its message or result is on its way."""
    granularity: float
    """Longest chunk, over the elapsed time."""

    @property
    def limit(self) -> Part:
        """The part that limits the run."""
        if self.slots >= BUSY:
            return "slots"
        parts: dict[Part, float] = {
            "producer": self.producer,
            "redis": self.redis,
            "host": self.host,
            "network": self.network,
            "granularity": self.granularity,
        }
        return max(parts, key=lambda part: parts[part])

    def to_json(self) -> dict[str, Any]:
        """The shares and the limit as a JSON object."""
        return {**vars(self), "limit": self.limit}


def saturation(run: Run, case: SimulatedCase, calibration: Calibration) -> Saturation:
    """The saturation of a simulated run."""
    elapsed_s = run.elapsed_s
    return Saturation(
        slots=case.slots_s / (run.slots * elapsed_s),
        producer=min(case.producer_s / elapsed_s, 1.0),
        redis=min(case.redis_s / elapsed_s, 1.0),
        host=min(case.messages * calibration.host_s / case.hosts / elapsed_s, 1.0),
        network=min(case.messages * LATENCIES * calibration.latency_s / run.slots / elapsed_s, 1.0),
        granularity=min(case.longest_chunk_s / elapsed_s, 1.0),
    )


def saturations(comparison: Comparison, simulation: Simulation) -> list[Saturation]:
    """The saturation of each number of hosts, ascending."""
    return [
        saturation(run, case, simulation.calibration)
        for run, case in zip(comparison.runs, simulation.cases, strict=True)
    ]


def least_s(run: Run, case: SimulatedCase) -> float:
    """Seconds that no schedule can undercut: those of the work on all slots, or of one index."""
    return max(case.slots_s / run.slots, case.longest_index_s, 1e-9)


def needed_servers(run: Run, case: SimulatedCase) -> list[tuple[int, int]]:
    """Numbers of producers and Redis servers that would be busy for ``ROOM`` of the least time."""
    room_s = ROOM * least_s(run, case)
    producers = math.ceil(case.producer_s / room_s)
    redis_servers = math.ceil(case.redis_s / room_s)
    pairs = [(producers, 1), (1, redis_servers), (producers, redis_servers)]
    return list(dict.fromkeys(pair for pair in pairs if pair != (1, 1)))
