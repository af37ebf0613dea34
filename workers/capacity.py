"""Refuses numbers of slots, hosts and workers that this machine cannot hold.

The one place with such limits. Callers ask before they start anything, because a machine that runs
out of memory or of processes fails for other programs, too.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import partial

from poolrace.workers.errors import UsageError
from poolrace.workers.free_resources import (
    GIB,
    KIB,
    MIB,
    FreeResources,
    free_resources,
    stack_bytes,
)
from poolrace.workers.pools import pool_named

WORKER_BYTES = 50 * MIB
"""Bytes of memory of a Celery worker without its slots; 47 to 53 MiB were measured, without the
pages that it shares with other workers."""

CHILD_BYTES = 28 * MIB
"""Bytes of memory of a child process of prefork; 20 to 34 MiB were measured, without the pages
that it shares with its worker."""

SLOT_BYTES = {
    "process": 16 * MIB,
    "interpreter": 16 * MIB,
    "thread": 64 * KIB,
    "greenlet": 16 * KIB,
}
"""Bytes of memory of a slot, by kind; a coroutine counts as a greenlet. Measured while chunks wait,
without shared pages: 15 MiB for a process of the model ``processes``, 13 MiB for a
sub-interpreter, 27 KiB for a thread, 4 KiB for a greenlet or a coroutine."""

PROCESS_FILES = 8
"""Open files that a parent process needs for each child process; 4 to 7 were measured."""

PROGRAM_FILES = 3
"""Open files that the supervisor needs for each program; 3 were measured."""

OTHER_FILES = 64
"""Open files that a parent process needs besides those for its child processes."""

THREAD_MAPPINGS = 2
"""Memory mappings of a thread: its stack, and the guard page below it."""

OTHER_MAPPINGS = 1000
"""Memory mappings of a process besides those of its threads; a worker of gevent has 500."""

OTHER_ADDRESS_BYTES = GIB // 2
"""Bytes of virtual memory of a process besides the stacks of its threads."""

WORKER_TASKS = 3
"""Threads of a Celery worker besides its slots; 1 to 3 were measured."""

CLUSTER_BYTES = 32 * MIB
"""Bytes of memory of a local cluster without its workers: Redis, the supervisor and its guard."""

CLUSTER_TASKS = 10
"""Processes and threads of a local cluster without its workers."""

WORKER_CLIENTS = 9
"""Connections to Redis of a Celery worker; 7 to 9 were measured."""

CHILD_CLIENTS = 2
"""Connections to Redis of a child process of prefork."""


@dataclass(frozen=True, slots=True)
class Demand:
    """The resources that processes need which are to be started."""

    memory_bytes: int = 0
    tasks: int = 0
    """Processes and threads."""
    redis_clients: int = 0
    open_files: int = 0
    """Open files of the process that has the most."""
    mappings: int = 0
    """Memory mappings of the process that has the most threads."""
    address_bytes: int = 0
    """Virtual memory of the process that has the most threads."""
    greenlets: int = 0
    """Greenlets or coroutines of the process that has the most."""

    def __add__(self, other: "Demand") -> "Demand":
        """Both demands at the same time, in processes of their own."""
        return Demand(
            self.memory_bytes + other.memory_bytes,
            self.tasks + other.tasks,
            self.redis_clients + other.redis_clients,
            *(max(getattr(self, name), getattr(other, name)) for name in _OF_ONE_PROCESS),
        )

    def times(self, number: int) -> "Demand":
        """The demand this number of times, in processes of their own."""
        return Demand(
            number * self.memory_bytes,
            number * self.tasks,
            number * self.redis_clients,
            *(getattr(self, name) for name in _OF_ONE_PROCESS),
        )


_OF_ONE_PROCESS = [field.name for field in fields(Demand)][3:]
"""Resources that each process has for itself."""

WORDS = {
    "memory_bytes": "of memory",
    "tasks": "processes and threads",
    "redis_clients": "connections to Redis",
    "open_files": "open files in one process",
    "mappings": "memory mappings in one process",
    "address_bytes": "of virtual memory in one process",
    "greenlets": "greenlets or coroutines in one process",
}


def slots_demand(slot: str, slots: int) -> Demand:
    """The demand of slots of this kind in the process that starts them."""
    memory_bytes = slots * SLOT_BYTES[slot]
    if slot == "greenlet":
        return Demand(memory_bytes, greenlets=slots)
    if slot == "process":
        return Demand(memory_bytes, tasks=slots, open_files=OTHER_FILES + slots * PROCESS_FILES)
    return Demand(
        memory_bytes,
        tasks=slots,
        mappings=OTHER_MAPPINGS + slots * THREAD_MAPPINGS,
        address_bytes=OTHER_ADDRESS_BYTES + slots * stack_bytes(),
    )


def worker_demand(pool: str, slots: int) -> Demand:
    """The demand of a Celery worker with this number of slots, child processes included."""
    worker = Demand(WORKER_BYTES, tasks=WORKER_TASKS)
    if pool == "solo":  # its worker is the slot
        return worker
    if pool != "prefork":
        return worker + slots_demand(pool_named(pool).slot, slots)
    files = OTHER_FILES + slots * PROCESS_FILES
    return worker + Demand(slots * CHILD_BYTES, tasks=slots, open_files=files)


def cluster_demand(pools: Mapping[str, int], hosts: int = 1) -> Demand:
    """The demand of a local cluster with one worker of each pool on each of its hosts."""
    workers = sum((worker_demand(pool, slots) for pool, slots in pools.items()), Demand())
    children = pools.get("prefork", 0)
    cluster = Demand(
        CLUSTER_BYTES,
        CLUSTER_TASKS,
        redis_clients=hosts * (len(pools) * WORKER_CLIENTS + children * CHILD_CLIENTS),
        open_files=OTHER_FILES + hosts * len(pools) * PROGRAM_FILES,
    )
    return cluster + workers.times(hosts)


def require_cluster(pools: Mapping[str, int], hosts: int = 1) -> None:
    """Raise ``UsageError`` for a local cluster that this machine cannot hold."""
    free = free_resources()
    before: dict[str, int] = {}
    for pool, slots in pools.items():
        wanted = f"{pool}:{slots}" + (f" beside {_names(before)}" if before else "")
        require_capacity(wanted, slots, "slots", partial(_with_pool, before, pool), free)
        before[pool] = slots
    if hosts > 1:
        wanted = f"{_names(pools)} on {hosts:,} hosts"
        require_capacity(wanted, hosts, "hosts", partial(cluster_demand, pools), free)


def require_capacity(
    wanted: str,
    number: int,
    unit: str,
    demand_of: Callable[[int], Demand],
    free: FreeResources | None = None,
) -> None:
    """Raise ``UsageError`` for a number of slots, hosts or workers that this machine cannot hold.

    ``demand_of`` returns the demand of any number of this ``unit``; ``wanted`` names the demand in
    the message. ``free`` are the machine's resources, if they have been read.
    """
    free = free or free_resources()
    shortages = _shortages(demand_of(number), free)
    if (worst := max(shortages, default=None)) is None:
        return
    numbers = range(1, min(number, 2**31) + 1)
    most = bisect_left(numbers, 1, key=lambda n: any(_shortages(demand_of(n), free)))
    way_out = f"give at most {most:,} {unit}" if most else "end other programs"
    raise UsageError(
        f"{wanted} needs {worst[1]}, more than this machine can hold: {worst[2]}; {way_out}"
    )


def _shortages(demand: Demand, free: FreeResources) -> Iterator[tuple[float, str, str]]:
    """The resources that are not enough: needed divided by free, and both in words."""
    for name, words in WORDS.items():
        needed = getattr(demand, name)
        limit = getattr(free, name)
        if needed > limit.number:
            ratio = needed / max(limit.number, 1)
            reason = f"the limit is {_amount(name, limit.number)} ({limit.name})"
            yield ratio, f"{_amount(name, needed)} {words}", reason


def _with_pool(before: Mapping[str, int], pool: str, slots: int) -> Demand:
    return cluster_demand({**before, pool: slots})


def _amount(name: str, number: int) -> str:
    if not name.endswith("bytes"):
        return f"{number:,}"
    return f"{number / MIB:,.0f} MiB" if number < 10 * GIB else f"{number / GIB:,.1f} GiB"


def _names(pools: Mapping[str, int]) -> str:
    return ", ".join(f"{pool}:{slots}" for pool, slots in pools.items())
