"""What ``producer scale`` varies, as far as it depends on the cluster that is there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from poolrace.producer.broker.pause import PoolHosts
from poolrace.producer.cluster.lifecycle import existing, local_of
from poolrace.producer.executors.models import Model, default_slots
from poolrace.producer.experiments.plans import Plan, doublings, hosts_plan, slots_plan
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import ScheduleChoice
from poolrace.producer.settings import Settings
from poolrace.workers.errors import ClusterError, UsageError
from poolrace.workers.pools import CORES
from poolrace.workers.runtime.presence import Presence

MOST = max(4, CORES)
"""What is gone up to where nothing else says how far: a law needs three numbers, 1, 2 and 4."""

MOST_WAITING = 64
"""The same for work that waits, in slots of this machine: they need no core."""


@dataclass(frozen=True)
class ScaleOptions:
    """What is to be scaled; raises ``UsageError`` for what contradicts itself."""

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
        """The job on these numbers of slots."""
        return slots_plan(self.job, self.model, slots, self.schedule, self.repeat)

    def over_hosts(self, hosts: Sequence[int], slots: int | None) -> Plan:
        """The job on these numbers of hosts, with so many slots each, ``None``: what they have."""
        model = replace(self.model, slots=slots)
        return hosts_plan(self.job, model, hosts, self.schedule, self.repeat)


def scale_plan(wish: ScaleOptions, settings: Settings) -> Plan:
    """A plan that varies hosts or slots, by default from one to what there is.

    Raises ``ClusterError`` if there are fewer hosts, ``UsageError`` if there are fewer slots.
    """
    if wish.model.kind == "local":
        return wish.over_slots(wish.slots or doublings(wish.model.slots or _most(wish)))
    if settings.broker_url or local_of(settings):
        workers = PoolHosts.find(existing(settings), wish.model.name).workers
        return _within(wish, workers)
    if wish.slots:
        return wish.over_slots(wish.slots)
    return wish.over_hosts(wish.hosts or doublings(MOST), wish.model.slots or 1)


def _most(wish: ScaleOptions) -> int:
    """Up to how many slots of this machine it is worth going."""
    if not wish.job.workload.waits:
        return MOST
    slots = default_slots(wish.model.name, wish.job.workload, len(wish.job))
    return min(MOST_WAITING, max(MOST, slots))


def _within(wish: ScaleOptions, workers: Sequence[Presence]) -> Plan:
    """A plan for the workers of a cluster that is there."""
    pool, there = wish.model.name, sum(worker.slots for worker in workers)
    if wish.slots or (not wish.hosts and len(workers) == 1):
        slots = wish.slots or doublings(there)
        if max(slots) > there:
            raise UsageError(
                f"--slots {max(slots)} is more than the {there} slots of pool {pool};"
                f" give at most {there}, or start more: make scale POOL={pool} N=2"
            )
        return wish.over_slots(slots)
    hosts = wish.hosts or doublings(len(workers))
    if max(hosts) > len(workers):
        raise ClusterError(
            f"pool {pool} has {len(workers)} host(s), and {max(hosts)} are asked for; start more:"
            f" make scale POOL={pool} N={max(hosts)}, or give at most {len(workers)}"
        )
    if wish.model.slots:
        raise UsageError(
            f"--pool {pool}:{wish.model.slots}: the hosts that are there have the slots that they"
            f" have; write --pool {pool}"
        )
    return wish.over_hosts(hosts, None)
