"""The runs of one job on any number of simulated hosts, by the same calibrated costs."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from poolrace.producer.executors.simulated.fleet import Fleet, MessageCosts
from poolrace.producer.experiments.simulation import SimulatedRun, simulate
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import LONGEST_CHUNK_S, Auto, Dynamic, ScheduleChoice
from poolrace.producer.results.simulation import Calibration, SimulatedCase
from poolrace.workers.errors import UsageError
from poolrace.workers.workloads import Workload
from poolrace.workers.workloads.sum import Sum

MAX_CHUNKS = 2_000_000
"""Chunks of all simulated runs at most: a chunk takes 30 to 40 microseconds to simulate."""


@dataclass(frozen=True)
class IndexCosts(Sum):
    """The sum of the indices, which cost as much as those of another workload."""

    costs_of: Workload | None = None

    def cost(self, start: int, stop: int) -> float:
        """The relative time of the range in the other workload."""
        return self.costs_of.cost(start, stop) if self.costs_of else super().cost(start, stop)


class WorkTimes:
    """The seconds of a range of indices; remembers the longest range that was asked for."""

    def __init__(self, job: Job, calibration: Calibration) -> None:
        self._cost = job.workload.cost
        self._work_s, self._wait_s = calibration.work_s, calibration.wait_s
        self.longest_s = 0.0

    def __call__(self, start: int, stop: int) -> tuple[float, float]:
        """The seconds that the range computes and waits."""
        cost = self._cost(start, stop)
        work_s, wait_s = cost * self._work_s, cost * self._wait_s
        self.longest_s = max(self.longest_s, work_s + wait_s)
        return work_s, wait_s

    def total_s(self, start: int, stop: int) -> float:
        """The seconds of a range, which is not remembered."""
        return self._cost(start, stop) * (self._work_s + self._wait_s)


def require_simulable(
    job: Job, choice: ScheduleChoice, slots: Sequence[int], calibration: Calibration | None = None
) -> None:
    """Raise ``UsageError`` for more chunks than can be simulated in the time.

    ``slots`` has the number of all slots of each run. Without a calibration, the chunks of ``auto``
    are not known, and count as none.
    """
    chunks = sum(least_chunks(job, choice, each, calibration) for each in slots)
    if chunks > MAX_CHUNKS:
        raise UsageError(
            f"{job} on {', '.join(f'{each:,}' for each in slots)} slots has {chunks:,}"
            f" chunks or more; at most {MAX_CHUNKS:,} can be simulated: give a shorter range,"
            " longer chunks, or fewer numbers"
        )


def least_chunks(
    job: Job, choice: ScheduleChoice, slots: int, calibration: Calibration | None
) -> int:
    """A lower bound of the number of chunks of a run."""
    count, schedule = len(job), choice.make_for(job)
    if choice.chunks:
        return choice.chunks
    if choice.chunk_size or isinstance(schedule, Dynamic):
        size = choice.chunk_size or next(schedule.sizes(count, slots))
        return -(-count // size)
    if isinstance(schedule, Auto):
        if calibration is None:
            return 0
        total_s = WorkTimes(job, calibration).total_s(job.start, job.stop)
        return min(count, math.ceil(total_s / LONGEST_CHUNK_S))
    return min(count, slots)


@dataclass(frozen=True)
class Series:
    """A job whose runs on any number of hosts are simulated with the same costs."""

    job: Job
    schedule: ScheduleChoice
    calibration: Calibration

    def run(
        self, hosts: int, slots: int, *, producers: int = 1, redis_servers: int = 1
    ) -> tuple[SimulatedRun, SimulatedCase]:
        """Simulate one run; more servers share the messages evenly."""
        began = time.perf_counter()
        calibration, job = self.calibration, self.job
        costs = MessageCosts(
            latency_s=calibration.latency_s,
            send_s=calibration.send_s / producers,
            receive_s=calibration.receive_s / producers,
            redis_s=calibration.redis_s / redis_servers,
            host_s=calibration.host_s,
            slot_s=calibration.slot_s,
        )
        times = WorkTimes(job, calibration)
        work = replace(job, workload=IndexCosts(costs_of=job.workload))
        run = simulate(work, Fleet.equal(hosts, slots, costs), self.schedule.make_for(work), times)
        ends = [(job.start, job.start + 1), (job.stop - 1, job.stop)]
        case = SimulatedCase(
            hosts=hosts,
            messages=round(run.redis_s / costs.redis_s / 2) if costs.redis_s else run.chunks,
            producer_s=run.producer_s,
            redis_s=run.redis_s,
            slots_s=run.slots_s,
            longest_chunk_s=times.longest_s,
            longest_index_s=max(times.total_s(*end) for end in ends),
            real_s=time.perf_counter() - began,
        )
        return run, case
