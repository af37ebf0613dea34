"""Measures contenders in turn, within one process and beside one cluster.

A cluster for each measurement would take seconds more, in which the machine changes its speed.
Each function returns a list with a value for each round, by contender.
"""

import subprocess
import sys
from collections.abc import Callable, Mapping

from benchmarks.peers.base import SLOTS
from benchmarks.peers.poolrace import Poolrace
from benchmarks.poolrace_only import Values, require_exact
from benchmarks.services import ROOT
from poolrace.producer.cluster.lifecycle import temporary
from poolrace.producer.commands.compare import models_named
from poolrace.producer.commands.demo import MODELS
from poolrace.producer.executors.models import Model
from poolrace.producer.experiments.compare import measured_runs
from poolrace.producer.experiments.plans import Case, Plan
from poolrace.producer.jobs.job import Job
from poolrace.producer.rounds import rotated
from poolrace.producer.settings import Settings
from poolrace.workers.workloads import make_workload

PREFORK = Model("celery", "prefork", SLOTS)
PROCESSES = Model("local", "processes", SLOTS)


def pairs(stop: int, repeat: int) -> Values:
    """Measure the sum by the seed's program, by prefork and by local processes: seconds."""
    with Poolrace() as poolrace:
        contenders = {
            "seed": lambda: _seed_s(stop),
            PREFORK.name: lambda: _run_s(PREFORK, stop, poolrace.settings),
            PROCESSES.name: lambda: _run_s(PROCESSES, stop, Settings()),
        }
        return _measured(contenders, repeat)


def demo(stop: int, repeat: int) -> Values:
    """Measure prefork and local processes beside the cluster of the demo: seconds.

    All pools of the demo and Flower run, as in ``producer demo``.
    """
    cases = [Case(model) for model in models_named(MODELS, MODELS)]
    pools = Plan(_sum(stop), cases).pools()
    with temporary(Settings(), pools, flower=True) as cluster:
        settings = Settings(broker_url=cluster.broker_url, lasting=False)
        contenders = {
            model.name: lambda model=model: _run_s(model, stop, settings)
            for model in (PROCESSES, PREFORK)
        }
        return _measured(contenders, repeat)


def _measured(contenders: Mapping[str, Callable[[], float]], repeat: int) -> Values:
    values: Values = {name: [] for name in contenders}
    for number in range(repeat):
        for name in rotated(list(contenders), number):
            values[name].append(contenders[name]())
    return values


def _seed_s(stop: int) -> float:
    """Seconds of the seed's program, which runs in a process of its own and checks its sum."""
    command = [sys.executable, "-m", "benchmarks.seed", str(stop)]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(finished.stdout)


def _run_s(model: Model, stop: int, settings: Settings) -> float:
    """Seconds of a run, without its start."""
    [(run, _)] = measured_runs(Plan(_sum(stop), [Case(model)]), settings)
    require_exact(run)
    return run.elapsed_s


def _sum(stop: int) -> Job:
    return Job(make_workload("sum", {}), 0, stop)
