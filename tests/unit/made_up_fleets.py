"""Simulated runs of made-up work on made-up fleets, and the lower bound of their time."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from poolrace.producer.executors.simulated.fleet import Fleet, FleetHost, IndexTimes, SlotSpeed
from poolrace.producer.experiments.simulation import SimulatedRun, simulate
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.message_costs import MESSAGE_S, PRODUCER_MESSAGE_S
from poolrace.producer.jobs.schedules import AUTO, ScheduleChoice
from poolrace.producer.jobs.slot_speeds import SHORTEST_CHUNK_S
from poolrace.workers.workloads import make_workload
from poolrace.workers.workloads.sum import Sum


@dataclass(frozen=True)
class Work:
    """The work of a job: the seconds of its indices on a slot of speed 1."""

    job: Job
    times: IndexTimes
    longest_s: float
    """Seconds of the longest index."""
    waits: bool = False
    """Whether the seconds are waits, which take equally long on every slot."""

    @property
    def total_s(self) -> float:
        """Seconds of all indices."""
        return sum(self.times(self.job.start, self.job.stop))


def uniform(count: int, total_s: float, *, waits: bool = False) -> Work:
    """Work of which every index takes equally long."""
    index_s = total_s / count

    def times(start: int, stop: int) -> tuple[float, float]:
        seconds = (stop - start) * index_s
        return (0.0, seconds) if waits else (seconds, 0.0)

    return Work(Job(make_workload("sum", {}), 0, count), times, index_s, waits)


def mixed(count: int, total_s: float, waiting: float, seed: int | None = None) -> Work:
    """Work whose indices wait for this share of their time, and compute for the rest.

    All take equally long, or, with a seed, one in four takes ten times as long, at random.
    """
    chance = random.Random(seed)
    lengths = [1.0 if seed is None else chance.choice((1.0, 1.0, 1.0, 10.0)) for _ in range(count)]
    scale = total_s / sum(lengths)
    below = list(accumulate((scale * each for each in lengths), initial=0.0))

    def times(start: int, stop: int) -> tuple[float, float]:
        seconds = below[stop] - below[start]
        return seconds * (1.0 - waiting), seconds * waiting

    return Work(Job(make_workload("sum", {}), 0, count), times, scale * max(lengths))


def linear(count: int, total_s: float) -> Work:
    """Work of which index ``n`` waits ``n`` times as long as the first, as in ``factorial``."""
    job = Job(LinearSum(), 0, count)
    unit_s = total_s / job.workload.cost(0, count)

    def times(start: int, stop: int) -> tuple[float, float]:
        return job.workload.cost(start, stop) * unit_s, 0.0

    return Work(job, times, job.workload.cost(count - 1, count) * unit_s)


def heavy_tailed(count: int, total_s: float, seed: int) -> Work:
    """Work whose indices take Pareto-distributed seconds, of which the schedule knows nothing."""
    chance = random.Random(seed)
    return unforeseen([min(chance.paretovariate(1.5), 100.0) for _ in range(count)], total_s)


def cheap_first(count: int, total_s: float, cheap: int, factor: float) -> Work:
    """Work whose first ``cheap`` indices take a ``factor`` less than the others, unforeseen."""
    return unforeseen([1.0 / factor] * cheap + [1.0] * (count - cheap), total_s)


def growing(count: int, total_s: float, power: float) -> Work:
    """Work whose indices take longer and longer, unforeseen, beginning with next to nothing."""
    return unforeseen([0.001 + (index / count) ** power for index in range(count)], total_s)


def unforeseen(lengths: Sequence[float], total_s: float) -> Work:
    """Work whose indices have these relative lengths, of which the schedule knows nothing."""
    scale = total_s / sum(lengths)
    below = list(accumulate((scale * each for each in lengths), initial=0.0))

    def times(start: int, stop: int) -> tuple[float, float]:
        return below[stop] - below[start], 0.0

    return Work(Job(make_workload("sum", {}), 0, len(lengths)), times, scale * max(lengths))


@dataclass(frozen=True)
class LinearSum(Sum):
    """``sum``, but each index costs as many units as its number, from 1."""

    def cost(self, start: int, stop: int) -> float:
        """The sum of the indices."""
        return (stop * (stop + 1) - start * (start + 1)) / 2


def capacity_s(work: Work, host: FleetHost, slot: SlotSpeed, until_s: float) -> float:
    """Seconds of work that the slot of a host can have done at that second of a run."""
    ends_s = min(until_s, host.leaves_s, host.dies_s)
    if work.waits:
        return max(ends_s - host.joins_s, 0.0)
    times = [host.joins_s, *(min(max(at_s, host.joins_s), ends_s) for at_s, _ in slot.changes)]
    factors = [1.0, *(factor for _, factor in slot.changes)]
    pieces = zip(factors, times, [*times[1:], ends_s], strict=True)
    return slot.speed * sum(factor * max(stop - start, 0.0) for factor, start, stop in pieces)


def lower_bound_s(work: Work, fleet: Fleet) -> float:
    """Seconds that no schedule can undercut, without messages.

    All slots together cannot end the work sooner, nor the fastest slot the longest index.
    """
    slots = [(host, slot) for host in fleet.hosts for slot in host.slots]
    fastest = (
        1.0
        if work.waits
        else max(
            slot.speed * max([1.0, *(factor for _, factor in slot.changes)]) for _, slot in slots
        )
    )
    least_s, most_s = work.longest_s / fastest, 1e9
    if all(host == FleetHost(host.slots) and not slot.changes for host, slot in slots):
        speeds = sum(1.0 if work.waits else slot.speed for _, slot in slots)
        return max(work.total_s / speeds, least_s)
    while most_s > least_s * 1.0001 + 1e-9:
        middle_s = (least_s + most_s) / 2
        done_s = sum(capacity_s(work, host, slot, middle_s) for host, slot in slots)
        least_s, most_s = (least_s, middle_s) if done_s >= work.total_s else (middle_s, most_s)
    return most_s


def shared_cores_bound_s(work: Work, fleet: Fleet) -> float:
    """Seconds that no schedule can undercut on equal hosts whose slots share cores.

    Computing takes the cores, computing and waiting take the slots, and an index takes one slot.
    """
    computing_s, waiting_s = work.times(work.job.start, work.job.stop)
    cores = sum(host.cores or len(host.slots) for host in fleet.hosts)
    return max(computing_s / cores, (computing_s + waiting_s) / fleet.slots, work.longest_s)


def slowest_speed(work: Work, fleet: Fleet) -> float:
    """The speed of the slowest slot, without its changes."""
    return 1.0 if work.waits else min(slot.speed for host in fleet.hosts for slot in host.slots)


def shortest_chunk_s(work: Work, fleet: Fleet) -> float:
    """Seconds of the shortest chunks of ``auto`` on the slowest slot: messages limit them, too."""
    per_host = max(len(host.slots) for host in fleet.hosts)
    limits = (
        SHORTEST_CHUNK_S,
        work.longest_s,
        per_host * MESSAGE_S,
        fleet.slots * PRODUCER_MESSAGE_S,
    )
    return max(limits) / slowest_speed(work, fleet)


def message_s(fleet: Fleet, messages_per_slot: int) -> float:
    """Seconds that messages take at least, with so many for each slot."""
    costs = fleet.costs
    largest_host = max(len(host.slots) for host in fleet.hosts)
    way_s = 4 * costs.latency_s + costs.jitter_s + 2 * costs.redis_s + costs.slot_s + costs.host_s
    # One after the other: the producer and Redis handle all, a host those of its own slots.
    serial_s = (
        fleet.slots * (costs.send_s + costs.receive_s + 2 * costs.redis_s)
        + largest_host * costs.host_s
    )
    return messages_per_slot * way_s + 2 * serial_s


def shared_message_s(fleet: Fleet) -> float:
    """Seconds of computing for one message to each slot of a host whose slots share a core."""
    return max(len(host.slots) for host in fleet.hosts) * (fleet.costs.host_s + fleet.costs.slot_s)


def run(work: Work, fleet: Fleet, choice: ScheduleChoice = AUTO) -> SimulatedRun:
    """Simulate the work on the fleet."""
    return simulate(work.job, fleet, choice.make_for(work.job), work.times)
