"""Compares the cases of a plan: measures their runs in interleaved rounds. Prints nothing."""

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing, nullcontext
from dataclasses import replace

from poolrace.producer.broker.pause import PoolHosts
from poolrace.producer.cluster.resolve import cluster_for
from poolrace.producer.environment import describe, now
from poolrace.producer.executors.models import make_executor, require_local_capacity
from poolrace.producer.experiments.dispatch import Observer, ignore_progress
from poolrace.producer.experiments.measure import measure
from poolrace.producer.experiments.plans import Case, Plan
from poolrace.producer.jobs.job import Job, new_job_id
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.interruption import interruption_by
from poolrace.producer.results.run import Run
from poolrace.producer.results.single_run import SingleRun
from poolrace.producer.settings import Settings
from poolrace.workers.host_facts import HostFacts

ObserverFactory = Callable[[str], Observer]
"""An observer factory gets the title of a run that is about to start, and returns its observer."""


def no_observer(_title: str) -> Observer:
    """Return ``ignore_progress``: the default observer factory."""
    return ignore_progress


def measured_runs(
    plan: Plan,
    settings: Settings,
    *,
    flower: bool = False,
    make_observer: ObserverFactory = no_observer,
) -> Generator[tuple[Run, Sequence[HostFacts]], None, None]:
    """Measure the runs of the plan one by one; yield each with the facts of its hosts.

    If the plan has Celery pools and there is no cluster, a temporary one is started.
    """
    for case in sorted(plan.cases, key=lambda case: case.model.slots or 0, reverse=True):
        require_local_capacity(case.model)
    expected = plan.job.expected()
    pools = plan.pools()
    began = time.perf_counter()
    cluster = cluster_for(settings, pools, hosts=plan.hosts, flower=flower)
    with cluster if pools else nullcontext(settings) as cluster_settings:
        cluster_s = time.perf_counter() - began
        hosts = {}
        if plan.varies == "hosts":
            hosts = {pool: PoolHosts.find(cluster_settings, pool) for pool in pools}
        for case in plan.rounds():
            with hosts[case.model.name].only(case.hosts) if case.hosts else nullcontext():
                observer = make_observer(str(case))
                run, facts = _measure_case(plan.job, case, cluster_settings, expected, observer)
            if case.model.kind == "celery":
                run = replace(run, startup_s=cluster_s + run.startup_s)
            yield run, facts


def measure_once(
    plan: Plan, settings: Settings, *, make_observer: ObserverFactory = no_observer
) -> SingleRun:
    """Measure the only run of the plan; return it with its environment."""
    made_at = now()
    [(run, hosts)] = measured_runs(plan, settings, make_observer=make_observer)
    return SingleRun(made_at, describe(hosts), run)


def compare(
    plan: Plan,
    settings: Settings,
    *,
    flower: bool = False,
    make_observer: ObserverFactory = no_observer,
    keep: Callable[[Comparison], None] = lambda _: None,
) -> Comparison:
    """Measure all runs of the plan and return their comparison.

    If an error or Ctrl-C ends the measuring, ``keep`` is called with the incomplete comparison of
    the runs so far, unless there are none.
    """
    made_at = now()
    runs: list[Run] = []
    hosts: dict[str, HostFacts] = {}
    measuring = measured_runs(plan, settings, flower=flower, make_observer=make_observer)
    try:
        with closing(measuring):
            for run, run_hosts in measuring:
                runs.append(run)
                hosts |= {facts.host: facts for facts in run_hosts}
    except BaseException as error:
        if runs:
            keep(
                replace(
                    _comparison(plan, made_at, runs, hosts.values()),
                    complete=False,
                    interruption=interruption_by(error),
                )
            )
        raise
    return _comparison(plan, made_at, runs, hosts.values())


def _comparison(
    plan: Plan, made_at: str, runs: Sequence[Run], hosts: Iterable[HostFacts]
) -> Comparison:
    return Comparison(
        made_at=made_at,
        varies=plan.varies,
        workload=plan.job.workload.name,
        parameters=plan.job.workload.parameters(),
        start=plan.job.start,
        stop=plan.job.stop,
        expected=runs[0].expected,
        repeat=plan.repeat,
        schedule=plan.schedule,
        environment=describe(hosts, plan.interpreters),
        runs=tuple(runs),
        planned=plan.runs,
        left_out=dict(plan.left_out),
    )


def _measure_case(
    job: Job, case: Case, settings: Settings, expected: int, observer: Observer
) -> tuple[Run, Sequence[HostFacts]]:
    """Measure one run of the case; return the run with the facts of its hosts."""
    job = replace(job, id=new_job_id())
    executor = make_executor(case.executor_model, job, settings, case.schedule)
    schedule = case.schedule.make_for(job)
    run = measure(job, executor, schedule, expected=expected, observer=observer)
    return run, executor.hosts
