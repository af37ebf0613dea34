"""Simulates a scaling series: a job on more hosts than there are, by calibrated costs.

The dispatch, the schedule and the ledger are those of real runs. Hosts, messages and the clock are
simulated: ``executors/simulated``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from poolrace.producer.analysis.saturation import needed_servers
from poolrace.producer.cluster.resolve import cluster_for
from poolrace.producer.environment import now
from poolrace.producer.executors.simulated.fleet import MAX_SLOTS
from poolrace.producer.experiments.calibration import calibrate
from poolrace.producer.experiments.compare import ObserverFactory, compare, no_observer
from poolrace.producer.experiments.plans import supported_plan
from poolrace.producer.experiments.scaling import ScaleOptions, scale_plan
from poolrace.producer.experiments.simulated_series import (
    MAX_CHUNKS,
    IndexCosts,
    Series,
    least_chunks,
    require_simulable,
)
from poolrace.producer.experiments.simulation import SimulatedRun
from poolrace.producer.jobs.schedules import Dynamic, ScheduleChoice
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.environment import Environment
from poolrace.producer.results.run import Run
from poolrace.producer.results.simulation import (
    Alternative,
    RealHosts,
    SimulatedCase,
    Simulation,
)
from poolrace.producer.settings import Settings
from poolrace.workers.errors import UsageError

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

    @property
    def numbers(self) -> list[int]:
        """The numbers of hosts with 1, which is the base of the speed-up, in ascending order."""
        return sorted({1, *self.hosts})

    @property
    def all_slots(self) -> list[int]:
        """The number of all slots of each run."""
        return [number * self.slots_per_host for number in self.numbers]


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
    require_simulable(scale.job, scale.schedule, options.all_slots)
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
    require_simulable(job, series.schedule, options.all_slots, series.calibration)
    runs, cases = [], []
    for number in options.numbers:
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
        if least_chunks(series.job, choice, slots, series.calibration) <= MAX_CHUNKS
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
