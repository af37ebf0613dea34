"""Measures contenders in turn, within one process and beside one cluster.

A cluster for each measurement would take seconds more, in which the machine changes its speed.
Each function returns a list with a value for each round, by contender.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import Process

from benchmarks.peers.base import SLOTS
from benchmarks.peers.poolrace import Poolrace
from benchmarks.poolrace_only import Values, require_exact
from benchmarks.services import ROOT
from benchmarks.work import add, cut
from poolrace.producer.cluster.lifecycle import temporary
from poolrace.producer.commands.compare import models_named
from poolrace.producer.commands.demo import MODELS
from poolrace.producer.executors.models import Model
from poolrace.producer.experiments.compare import measured_runs
from poolrace.producer.experiments.plans import Case, Plan
from poolrace.producer.jobs.job import Job
from poolrace.producer.results.run import Run
from poolrace.producer.rounds import rotated
from poolrace.producer.settings import Settings
from poolrace.workers.settings import inherited_environment
from poolrace.workers.workloads import make_workload

PREFORK = Model("celery", "prefork", SLOTS)
PROCESSES = Model("local", "processes", SLOTS)

COMMANDS: Mapping[str, Sequence[str]] = {
    "--help": ["--help"],
    "run": ["run", "sum", "--stop", "1000"],
}
"""Arguments of the commands whose wall time is measured."""


def pairs(stop: int, repeat: int) -> Values:
    """Measure the sum by the seed's program, by prefork and by local processes: seconds."""
    with Poolrace() as poolrace:
        contenders = {
            "seed": lambda: _seed_s(stop),
            PREFORK.name: lambda: _run(PREFORK, stop, poolrace.settings).elapsed_s,
            PROCESSES.name: lambda: _run(PROCESSES, stop, Settings()).elapsed_s,
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
            model.name: lambda model=model: _run(model, stop, settings).elapsed_s
            for model in (PROCESSES, PREFORK)
        }
        return _measured(contenders, repeat)


def cpu(stop: int, repeat: int) -> Values:
    """Measure the CPU seconds of prefork's run and those of the loop alone.

    CPU seconds of a run are those of producer, workers and Redis, under the default schedule.
    """
    with Poolrace() as poolrace:
        contenders = {
            "poolrace": lambda: _run(PREFORK, stop, poolrace.settings).cpu_s,
            "bare kernel": lambda: _bare_cpu_s(stop),
        }
        return _measured(contenders, repeat)


def commands(repeat: int) -> Values:
    """Measure the wall time of whole commands, from exec to exit, while a cluster runs."""
    with temporary(Settings(), {PREFORK.name: SLOTS}) as cluster:
        environment = inherited_environment(CELERY_BROKER_URL=cluster.broker_url)
        contenders = {
            name: lambda arguments=arguments: _command_s(arguments, environment)
            for name, arguments in COMMANDS.items()
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


def _command_s(arguments: Sequence[str], environment: dict[str, str]) -> float:
    began = time.perf_counter()
    command = [sys.executable, "-m", "poolrace", *arguments]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)
    return time.perf_counter() - began


def _bare_cpu_s(stop: int) -> float:
    """CPU seconds of the loop in two processes, because a busy neighbour slows a core down."""
    before_s = _children_cpu_s()
    processes = [Process(target=add, args=bounds) for bounds in cut(stop, SLOTS)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return _children_cpu_s() - before_s


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(model: Model, stop: int, settings: Settings) -> Run:
    [(run, _)] = measured_runs(Plan(_sum(stop), [Case(model)]), settings)
    require_exact(run)
    return run


def _sum(stop: int) -> Job:
    return Job(make_workload("sum", {}), 0, stop)
