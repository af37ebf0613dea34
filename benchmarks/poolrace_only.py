"""Measures poolrace without peers: memory, throughput, CPU seconds, commands, simulations."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from multiprocessing import Process

from benchmarks.peers.base import SLOTS
from benchmarks.peers.poolrace import Poolrace
from benchmarks.work import add, cut
from poolrace.producer.broker.client import connect
from poolrace.producer.cluster.lifecycle import temporary
from poolrace.producer.experiments.simulated_series import Series
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import Ledger
from poolrace.producer.jobs.schedules import AUTO, ScheduleChoice
from poolrace.producer.results.run import Run
from poolrace.producer.results.simulation import Calibration
from poolrace.producer.settings import Settings
from poolrace.workers.chunks import ChunkResult
from poolrace.workers.settings import inherited_environment
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

COMMANDS: dict[str, Sequence[str]] = {
    "help": ["--help"],
    "run": ["run", "sum", "--stop", "1000"],
}
"""Arguments of the commands whose wall time is measured."""


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


def cpu(stop: int) -> Values:
    """Measure the CPU seconds of producer, workers and Redis, under the default schedule."""
    with Poolrace() as poolrace:
        run = poolrace.measured(stop, AUTO)
    require_exact(run)
    return {"cpu_s": [run.cpu_s], "elapsed_s": [run.elapsed_s]}


def bare(stop: int) -> Values:
    """Measure the CPU seconds of the loop alone.

    The loop runs in two processes, as in poolrace, because a core is slower while its neighbour
    is busy.
    """
    began, cpu_before_s = time.perf_counter(), _children_cpu_s()
    processes = [Process(target=add, args=bounds) for bounds in cut(stop, SLOTS)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return {"cpu_s": [_children_cpu_s() - cpu_before_s], "elapsed_s": [time.perf_counter() - began]}


def command(name: str, times: int) -> Values:
    """Measure the wall time of whole commands, from exec to exit, while a cluster runs."""
    with temporary(Settings(), {"prefork": SLOTS}) as cluster:
        environment = inherited_environment(CELERY_BROKER_URL=cluster.broker_url)
        return {"elapsed_s": [_command_s(COMMANDS[name], environment) for _ in range(times)]}


def simulation(hosts: int, slots: int) -> Values:
    """Measure the time that the simulation of a run takes, as in ``producer scale --simulate``."""
    job = Job(make_workload("sum", {}), 0, hosts * slots * INDICES_PER_SLOT)
    run, case = Series(job, AUTO, COSTS).run(hosts, slots)
    if not run.exact:
        raise ValueError(f"the value {run.value} of the simulated run is wrong")
    return {"elapsed_s": [case.real_s], "slots_per_s": [hosts * slots / case.real_s]}


def _command_s(arguments: Sequence[str], environment: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "poolrace", *arguments],
        env=environment,
        check=True,
        capture_output=True,
        timeout=60,
    )
    return time.perf_counter() - began


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def require_exact(run: Run) -> None:
    """Raise ``ValueError`` if the value of the run is wrong."""
    if not run.exact:
        raise ValueError(f"the value {run.value} is not the expected {run.expected}")
