"""Measures poolrace without peers: memory, throughput over time, speed of simulations."""

import os
import time

from benchmarks.peers.poolrace import Poolrace
from poolrace.producer.broker.client import connect
from poolrace.producer.experiments.simulated_series import Series
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import Ledger
from poolrace.producer.jobs.schedules import AUTO, ScheduleChoice
from poolrace.producer.results.run import Run
from poolrace.producer.results.simulation import Calibration
from poolrace.workers.chunks import ChunkResult
from poolrace.workers.usage import usage_of
from poolrace.workers.workloads import make_workload

MB = 1_000_000

INDICES_PER_SLOT = 1000
"""Indices of the simulated job for each slot: 20 s, so that ``auto`` cuts chunks of all lengths."""

COSTS = Calibration(
    pool="prefork",
    messages=300,
    send_s=0.0001,
    receive_s=0.0001,
    redis_s=0.00003,
    host_s=0.0004,
    slot_s=0.0006,
    latency_s=0.0001,
    work_s=0.02,
    wait_s=0.0,
    uneven=0.0,
    elapsed_s=0.0,
)
"""Costs of messages and indices in the simulation: rounded ones of prefork on a virtual machine.
They are constants, so that the simulated run is the same on all machines."""

Values = dict[str, list[float]]
"""Values of a measurement, by name."""


class _TenthTimes:
    """Records the times at which one tenth, nine tenths and all of the results have arrived."""

    def __init__(self, chunks: int) -> None:
        self._counts = (chunks // 10, chunks - chunks // 10, chunks)
        self._results = 0
        self._times = [time.perf_counter()]

    def __call__(self, _ledger: Ledger, result: ChunkResult | None) -> None:
        if result is None:
            return
        self._results += 1
        if self._results in self._counts:
            self._times.append(time.perf_counter())

    def last_over_first(self, first_began: float) -> float:
        """The rate of the last tenth divided by the rate of the first tenth."""
        _, one_tenth, nine_tenths, end = self._times
        return (one_tenth - first_began) / (end - nine_tenths)


def million(chunks: int) -> Values:
    """Measure memory and throughput of a job of one-index chunks; this process is its producer."""
    tenths = _TenthTimes(chunks)
    with Poolrace() as poolrace, connect(str(poolrace.settings.broker_url)) as redis:
        idle = redis.info("memory")["used_memory"]
        began = time.perf_counter()
        run = poolrace.measured(chunks, ScheduleChoice("dynamic", chunk_size=1), tenths)
        peak = redis.info("memory")["used_memory_peak"]
    require_exact(run)
    return {
        "elapsed_s": [run.elapsed_s],
        "chunks_per_s": [chunks / run.elapsed_s],
        "producer_peak_mb": [usage_of([os.getpid()]).peak_memory_bytes / MB],
        "redis_above_idle_mb": [(peak - idle) / MB],
        "last_over_first": [tenths.last_over_first(began + run.startup_s)],
    }


def simulation(hosts: int, slots: int) -> Values:
    """Measure the time that the simulation of a run takes, as in ``producer scale --simulate``."""
    job = Job(make_workload("sum", {}), 0, hosts * slots * INDICES_PER_SLOT)
    run, case = Series(job, AUTO, COSTS).run(hosts, slots)
    if not run.exact:
        raise ValueError(f"the value {run.value} of the simulated run is wrong")
    return {"elapsed_s": [case.real_s], "slots_per_s": [hosts * slots / case.real_s]}


def require_exact(run: Run) -> None:
    """Raise ``ValueError`` if the value of the run is wrong."""
    if not run.exact:
        raise ValueError(f"the value {run.value} is not the expected {run.expected}")
