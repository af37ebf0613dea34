"""Simulates a scaling series: a job on more hosts than there are, by calibrated costs.

The dispatch, the schedule and the ledger are those of real runs. Hosts, messages and the clock are
simulated: ``executors/simulated``.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from poolrace.producer.analysis.saturation import needed_servers
from poolrace.producer.cluster.resolve import cluster_for
from poolrace.producer.environment import now
from poolrace.producer.executors.simulated.fleet import MAX_SLOTS, Fleet, MessageCosts
from poolrace.producer.experiments.calibration import calibrate
from poolrace.producer.experiments.compare import ObserverFactory, compare, no_observer
from poolrace.producer.experiments.plans import supported_plan
from poolrace.producer.experiments.scaling import ScaleOptions, scale_plan
from poolrace.producer.experiments.simulation import SimulatedRun, simulate
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import LONGEST_CHUNK_S, Auto, Dynamic, ScheduleChoice
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.environment import Environment
from poolrace.producer.results.run import Run
from poolrace.producer.results.simulation import (
    Alternative,
    Calibration,
    RealHosts,
    SimulatedCase,
    Simulation,
)
from poolrace.producer.settings import Settings
from poolrace.workers.errors import UsageError
from poolrace.workers.workloads import Workload
from poolrace.workers.workloads.sum import Sum

MAX_CHUNKS = 2_000_000
"""Chunks of all simulated runs at most: a chunk takes 30 to 40 microseconds to simulate."""

ALTERNATIVES_S = 20.0
"""Seconds of real time of a simulated run above which no alternatives to it are simulated."""


@dataclass(frozen=True)
class SimulationOptions:
    """The numbers of hosts to simulate, and the slots of each.

    Raises ``UsageError`` for numbers that cannot be simulated.
    """

    hosts: Sequence[int]
    slots_per_host: int

    def __post_init__(self) -> None:
        slots, largest = self.slots_per_host, max(self.hosts)
        if not 1 <= slots <= MAX_SLOTS:
            raise UsageError(f"--slots-per-host {slots}: give 1 to {MAX_SLOTS:,}")
        if min(self.hosts) < 1:
            raise UsageError(f"--simulate {min(self.hosts)}: give 1 host or more")
        if largest * slots > MAX_SLOTS:
            raise UsageError(
                f"--simulate {largest} with {slots} slot(s) per host is {largest * slots:,} slots;"
                f" at most {MAX_SLOTS:,} can be simulated: give at most {MAX_SLOTS // slots:,}"
                " hosts"
            )


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


@dataclass(frozen=True)
class Series:
    """A job whose runs on any number of hosts are simulated with the same costs."""

    job: Job
    schedule: ScheduleChoice
    calibration: Calibration

    def require_simulable(self, slots: Sequence[int]) -> None:
        """Raise ``UsageError`` for more chunks than can be simulated in the time.

        ``slots`` has the number of all slots of each run.
        """
        chunks = sum(map(self.least_chunks, slots))
        if chunks > MAX_CHUNKS:
            raise UsageError(
                f"{self.job} on {', '.join(f'{each:,}' for each in slots)} slots has {chunks:,}"
                f" chunks or more; at most {MAX_CHUNKS:,} can be simulated: give a shorter range,"
                " longer chunks, or fewer numbers"
            )

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

    def least_chunks(self, slots: int) -> int:
        """A lower bound of the number of chunks of a run."""
        count, choice = len(self.job), self.schedule
        schedule = choice.make_for(self.job)
        if choice.chunks:
            return choice.chunks
        if choice.chunk_size or isinstance(schedule, Dynamic):
            size = choice.chunk_size or next(schedule.sizes(count, slots))
            return -(-count // size)
        if isinstance(schedule, Auto):
            total_s = WorkTimes(self.job, self.calibration).total_s(self.job.start, self.job.stop)
            return min(count, math.ceil(total_s / LONGEST_CHUNK_S))
        return min(count, slots)


def simulation_options(
    scale: ScaleOptions, hosts: Sequence[int] | None, slots_per_host: int | None
) -> SimulationOptions | None:
    """The options of a simulation, ``None`` without one; raises ``UsageError`` if they exclude."""
    if hosts is None:
        if slots_per_host is not None:
            raise UsageError(f"--slots-per-host {slots_per_host} is for --simulate; give both")
        return None
    if scale.model.kind == "local":
        raise UsageError(f"--simulate is for Celery pools, not for {scale.model}; give --pool")
    if scale.slots:
        raise UsageError("--simulate and --slots exclude each other; give --slots-per-host")
    return SimulationOptions(hosts, 1 if slots_per_host is None else slots_per_host)


def simulate_scaling(
    scale: ScaleOptions,
    options: SimulationOptions,
    settings: Settings,
    make_observer: ObserverFactory = no_observer,
) -> Comparison:
    """Calibrate on the hosts of a cluster, and simulate more; measure the hosts of ``scale``, too.

    Without a cluster a temporary one is started.
    """
    made_at = now()
    plan = supported_plan(scale_plan(scale, settings)) if scale.hosts else None
    pools, hosts = {scale.model.name: scale.model.slots or 1}, plan.hosts if plan else 1
    with cluster_for(settings, pools, hosts=hosts) as running:
        measured = compare(plan, running, make_observer=make_observer) if plan else None
        model = replace(scale.model, slots=None)
        calibration, environment = calibrate(scale.job, model, running)
    series = Series(scale.job, scale.schedule, calibration)
    return series_comparison(series, options, measured, made_at, environment)


def series_comparison(
    series: Series,
    options: SimulationOptions,
    measured: Comparison | None,
    made_at: str,
    environment: Environment,
) -> Comparison:
    """Simulate each number of hosts; ``measured`` holds runs of real hosts, if there are any."""
    job, slots = series.job, options.slots_per_host
    numbers = sorted({1, *options.hosts})
    series.require_simulable([number * slots for number in numbers])
    runs, cases = [], []
    for number in numbers:
        simulated, case = series.run(number, slots)
        runs.append(_run(series, simulated, number, slots))
        cases.append(case)
    return Comparison(
        made_at=made_at,
        varies="hosts",
        workload=job.workload.name,
        parameters=job.workload.parameters(),
        start=job.start,
        stop=job.stop,
        expected=runs[0].expected,
        repeat=1,
        schedule=str(series.schedule),
        environment=environment,
        runs=tuple(runs),
        planned=len(runs),
        simulation=Simulation(
            calibration=series.calibration,
            slots_per_host=slots,
            cases=cases,
            alternatives=_alternatives(series, runs[-1], cases[-1]),
            real=_real_hosts(series, measured) if measured else [],
        ),
    )


def _run(series: Series, simulated: SimulatedRun, hosts: int, slots: int) -> Run:
    """The simulated run in the form of a measured one; its value is the sum of the indices."""
    job, all_slots = series.job, hosts * slots
    counts: dict[str, Any] = {
        name: simulated.counts.get(name, 0) for name in ("retries", "resent", "backups")
    }
    return Run(
        job=job.id,
        workload=job.workload.name,
        parameters=job.workload.parameters(),
        start=job.start,
        stop=job.stop,
        model=f"simulated:{series.calibration.pool}",
        slots=all_slots,
        hosts=hosts,
        machines=hosts,
        schedule=series.schedule.make_for(job).name,
        chunks=simulated.chunks,
        duplicates=0,
        resumed=0,
        value=simulated.value,
        expected=IndexCosts().expected(job.start, job.stop),
        exact=simulated.exact,
        intervals=[[job.start, job.stop]] if simulated.exact else [],
        elapsed_s=max(simulated.elapsed_s, 1e-9),
        startup_s=0.0,
        cpu_s=simulated.slots_s + simulated.producer_s + simulated.redis_s,
        busy_s=simulated.slots_s,
        efficiency=simulated.slots_s / (all_slots * max(simulated.elapsed_s, 1e-9)),
        voluntary_switches=0,
        involuntary_switches=0,
        peak_memory_bytes=0,
        shares={},
        events=[],
        records=[],
        **counts,
    )


def _alternatives(series: Series, run: Run, case: SimulatedCase) -> list[Alternative]:
    """The largest number of hosts with other chunk sizes, more producers, more Redis servers.

    None if that would take long.
    """
    if case.real_s > ALTERNATIVES_S:
        return []
    count, slots = len(series.job), run.slots
    choices: dict[tuple[str, int, int], ScheduleChoice] = {}
    for per_slot in (1, 4, 16):
        choice = ScheduleChoice(Dynamic.name, chunk_size=max(1, count // (per_slot * slots)))
        choices[str(choice), 1, 1] = choice
    for producers, redis_servers in needed_servers(run, case):
        choices[str(series.schedule), producers, redis_servers] = series.schedule
    return [
        _alternative(replace(series, schedule=choice), run, producers, redis_servers)
        for (_, producers, redis_servers), choice in choices.items()
        if replace(series, schedule=choice).least_chunks(slots) <= MAX_CHUNKS
    ]


def _alternative(series: Series, run: Run, producers: int, redis_servers: int) -> Alternative:
    simulated, _ = series.run(
        run.hosts, run.slots // run.hosts, producers=producers, redis_servers=redis_servers
    )
    return Alternative(
        str(series.schedule), producers, redis_servers, max(simulated.elapsed_s, 1e-9)
    )


def _real_hosts(series: Series, measured: Comparison) -> list[RealHosts]:
    """The measured times of each number of hosts beside the simulated time of as many."""
    times: dict[tuple[int, int], list[float]] = {}
    for run in measured.runs:
        times.setdefault((run.hosts, run.slots), []).append(run.elapsed_s)
    return [
        RealHosts(hosts, slots, seconds, series.run(hosts, slots // hosts)[0].elapsed_s)
        for (hosts, slots), seconds in sorted(times.items())
    ]
