"""Several models on one job, several times each, interleaved. Prints nothing."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from producer.cluster.local import attached
from producer.dispatch import Observer, nobody
from producer.environment import describe
from producer.executors import Model, default_slots, make_executor
from producer.jobs import Job, new_job_id
from producer.measure import measure
from producer.results import Comparison, Run
from producer.schedules import AUTO, ScheduleChoice
from workers.hosts import HostFacts
from workers.settings import Settings

Watch = Callable[[Model], Observer]
"""Gives the observer of the run that is about to begin."""


@dataclass(frozen=True)
class Plan:
    """What is to be compared: a job, under which models, how often, cut how."""

    job: Job
    models: Sequence[Model]
    schedule: ScheduleChoice = AUTO
    repeat: int = 1

    def __post_init__(self) -> None:
        self.schedule.make(len(self.job))  # a user's mistake shows before anything starts

    def rounds(self) -> Iterator[Model]:
        """The model of each run in turn.

        Each round has every model once, and begins with another one than the round before, so
        that a machine which slows down or speeds up does so for all alike.
        """
        for number in range(self.repeat):
            first = number % len(self.models)
            yield from (*self.models[first:], *self.models[:first])

    def pools(self) -> dict[str, int]:
        """The Celery pools needed, with the most slots that a model wants of each."""
        pools: dict[str, int] = {}
        for model in self.models:
            if model.kind == "celery":
                wanted = model.slots or default_slots(model.name, self.job.workload, len(self.job))
                pools[model.name] = max(wanted, pools.get(model.name, 0))
        return pools


def unwatched(_model: Model) -> Observer:
    """Watch nothing."""
    return nobody


def measured_runs(
    plan: Plan, settings: Settings, *, flower: bool = False, watch: Watch = unwatched
) -> Iterator[tuple[Run, Sequence[HostFacts]]]:
    """Make the runs of the plan one after the other; a cluster is started if none is there."""
    expected = plan.job.expected()
    pools = plan.pools()
    began = time.perf_counter()
    with attached(settings, pools, flower=flower) if pools else nullcontext(settings) as found:
        cluster_s = time.perf_counter() - began
        for model in plan.rounds():
            job = replace(plan.job, id=new_job_id())
            executor = make_executor(model, job, found, plan.schedule)
            schedule = plan.schedule.make(len(job))
            run = measure(job, executor, schedule, expected=expected, observer=watch(model))
            if model.kind == "celery":
                run = replace(run, startup_s=cluster_s + run.startup_s)
            yield run, executor.hosts


def compare(
    plan: Plan, settings: Settings, *, flower: bool = False, watch: Watch = unwatched
) -> Comparison:
    """Make all runs of the plan."""
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    runs = []
    hosts: dict[str, HostFacts] = {}
    for run, run_hosts in measured_runs(plan, settings, flower=flower, watch=watch):
        runs.append(run)
        hosts |= {facts.host: facts for facts in run_hosts}
    return Comparison(
        made_at=made_at,
        workload=plan.job.workload.name,
        parameters=plan.job.workload.parameters(),
        start=plan.job.start,
        stop=plan.job.stop,
        expected=plan.job.expected(),
        repeat=plan.repeat,
        schedule=str(plan.schedule),
        environment=describe(hosts.values()),
        runs=tuple(runs),
    )
