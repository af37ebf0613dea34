"""Scaling: plans that vary hosts or slots, within the limits of the cluster."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from poolrace.producer.broker.pause import PoolHosts
from poolrace.producer.cluster.resolve import resolve
from poolrace.producer.executors.models import Model, default_slots
from poolrace.producer.experiments.plans import Plan, doublings, hosts_plan, slots_plan
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import ScheduleChoice
from poolrace.producer.settings import Settings
from poolrace.workers.errors import ClusterError, UsageError
from poolrace.workers.pools import CORES
from poolrace.workers.runtime.presence import Presence

DEFAULT_MAXIMUM = max(4, CORES)
"""Hosts or slots at the end of a scaling series, by default; at least 4, because fitting a scaling
law needs three numbers: 1, 2 and 4."""

DEFAULT_MAXIMUM_WAITING = 64
"""Slots at the end of a scaling series, by default at most, for a workload that waits: waiting
needs no core."""


@dataclass(frozen=True)
class ScaleOptions:
    """Options of ``producer scale``; raises ``UsageError`` for options that exclude each other."""

    job: Job
    model: Model
    hosts: Sequence[int] | None
    slots: Sequence[int] | None
    schedule: ScheduleChoice
    repeat: int

    def __post_init__(self) -> None:
        if self.hosts and self.slots:
            raise UsageError("--hosts and --slots exclude each other; give one")
        if self.hosts and self.model.kind == "local":
            raise UsageError(f"--hosts is for Celery pools, not for {self.model}; give --slots")
        if self.slots and self.model.slots:
            raise UsageError(f"--slots and {self.model.name}:{self.model.slots}: give slots once")

    def over_slots(self, slots: Sequence[int]) -> Plan:
        """Return the plan that varies the slots."""
        return slots_plan(self.job, self.model, slots, self.schedule, self.repeat)

    def over_hosts(self, hosts: Sequence[int], slots: int | None) -> Plan:
        """Return the plan that varies the hosts; ``slots`` is per host, ``None`` for all it has."""
        model = replace(self.model, slots=slots)
        return hosts_plan(self.job, model, hosts, self.schedule, self.repeat)


def scale_plan(options: ScaleOptions, settings: Settings) -> Plan:
    """Return a plan that varies hosts or slots, by default up to all of the cluster.

    Raises ``ClusterError`` for more hosts than there are, ``UsageError`` for more slots.
    """
    if options.model.kind == "local":
        return options.over_slots(
            options.slots or doublings(options.model.slots or _default_maximum(options))
        )
    if (resolved := resolve(settings)).exists:
        workers = PoolHosts.find(resolved.settings, options.model.name).workers
        return _plan_for_workers(options, workers)
    if options.slots:
        return options.over_slots(options.slots)
    return options.over_hosts(options.hosts or doublings(DEFAULT_MAXIMUM), options.model.slots or 1)


def _default_maximum(options: ScaleOptions) -> int:
    """Return the number of slots at the end of a default series on this machine."""
    if not options.job.workload.waits:
        return DEFAULT_MAXIMUM
    slots = default_slots(options.model.name, options.job.workload, len(options.job))
    return min(DEFAULT_MAXIMUM_WAITING, max(DEFAULT_MAXIMUM, slots))


def _plan_for_workers(options: ScaleOptions, workers: Sequence[Presence]) -> Plan:
    """Return a plan within the hosts and slots of these workers."""
    pool, all_slots = options.model.name, sum(worker.slots for worker in workers)
    if options.slots or (not options.hosts and len(workers) == 1):
        slots = options.slots or doublings(all_slots)
        if max(slots) > all_slots:
            raise UsageError(
                f"--slots {max(slots)} is more than the {all_slots} slots of pool {pool};"
                f" give at most {all_slots}, or start more: make scale POOL={pool} N=2"
            )
        return options.over_slots(slots)
    hosts = options.hosts or doublings(len(workers))
    if max(hosts) > len(workers):
        raise ClusterError(
            f"--hosts {max(hosts)} is more than the {len(workers)} host(s) of pool {pool};"
            f" give at most {len(workers)}, or start more: make scale POOL={pool} N={max(hosts)}"
        )
    if options.model.slots:
        raise UsageError(
            f"--pool {pool}:{options.model.slots} cannot change the slots of running workers;"
            f" write --pool {pool}"
        )
    return options.over_hosts(hosts, None)
