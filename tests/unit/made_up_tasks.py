"""Made-up tasks, and how fast the workers of a made-up machine run them. Pure arithmetic.

The figures are those of Celery 5.7 on two cores: CPU time of messages by pool, memory of workers
and of children. The bend of the throughput is another one than in the model of a race.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from poolrace.producer.results.candidate import Candidate
from tests.unit.made_up_races import MIB

PRODUCER_S = 0.0005
"""CPU seconds that the producer and Redis take for a message."""

MESSAGE_S = {
    "solo": (0.0012, 0.0),
    "prefork": (0.0008, 0.0012),
    "threads": (0.0016, 0.0),
    "gevent": (0.0028, 0.0),
}
"""CPU seconds of a message in the main process and in a child process, by pool."""

CROWDED = 0.1
"""Growth of the CPU time of a message in threads and gevent per doubling beyond 16 slots."""

WORKER_BYTES, CHILD_BYTES, THREAD_BYTES = 45 * MIB, 22 * MIB, 0.05 * MIB


@dataclass(frozen=True)
class Task:
    """Seconds that an item computes and waits, and how it behaves."""

    computes: float
    waits: float = 0.0
    releases_gil: bool = False
    blocks_greenlets: bool = False
    fails: float = 0.0
    """Share of the items that fail."""
    served_at_once: float = math.inf
    """Number of items that the service behind the task serves at a time."""
    holds_bytes: int = 0
    """Memory that the task keeps in each process that runs it."""
    child_bytes: int = CHILD_BYTES
    messages: float = 1.0
    """Ratio of the CPU time of a message to ``MESSAGE_S``: quick cores have less."""
    softness: float = 4.0
    """Exponent of the bend, where a task only waits."""
    returns: float = 0.0
    """CPU seconds that its result takes; a child of prefork also sends it to its main process."""


@dataclass(frozen=True)
class Flow:
    """Throughput of a candidate, and the time and memory that its items take."""

    speed: float
    """Executions/s."""
    running_s: float
    own_cpu_s: float
    core_wait_s: float
    cpu_s: float
    main_cpu_s: float
    memory_bytes: float


@lru_cache(maxsize=100_000)
def flow(task: Task, candidate: Candidate, cores: int, load: int = 0) -> Flow:
    """The flow of a candidate without noise, beside ``load`` processes that compute."""
    main_s, child_s = (task.messages * cpu_s for cpu_s in MESSAGE_S[candidate.pool])
    workers, slots = candidate.workers, candidate.slots
    if candidate.pool in {"threads", "gevent"}:
        main_s *= 1 + CROWDED * max(0.0, math.log2(candidate.concurrency / 16))
    prefork = candidate.pool == "prefork"
    main_s += task.returns
    child_s += task.returns if prefork else 0.0
    parallel = prefork or (candidate.pool == "threads" and task.releases_gil)
    cpu_s = main_s + child_s + task.computes
    one_thread_s = main_s if parallel else cpu_s
    alone_s = task.computes + task.waits + (child_s if prefork else main_s)
    at_a_time = workers if candidate.pool == "gevent" and task.blocks_greenlets else slots
    wanted = min(slots / alone_s * cpu_s, slots if parallel else workers)
    usable = _usable_cores(wanted, cores, load)
    share: float = min(1.0, usable / wanted)
    levels = {
        "thread": workers * min(1.0, usable / min(wanted, workers)) / one_thread_s,
        "cores": usable / (cpu_s + PRODUCER_S),
        "service": task.served_at_once / task.waits if task.waits else math.inf,
    }
    level = min(levels.values())
    speed = _bent(at_a_time / alone_s, level, task)
    running_s = task.computes / share + task.waits
    if not prefork or level == levels["service"]:  # items keep their slots while they queue
        running_s = max(running_s, at_a_time / speed - main_s - child_s)
    own_s = task.computes
    if candidate.pool == "gevent":  # the thread's CPU time of all greenlets counts for each one
        own_s = max(own_s, running_s * min(1.0, speed * cpu_s / workers))
    processes = slots if prefork else workers
    memory: float = workers * WORKER_BYTES + processes * task.holds_bytes
    memory += slots * (task.child_bytes if prefork else THREAD_BYTES)
    main_total_s = main_s if prefork else cpu_s
    wait_s = 0.0 if candidate.pool == "gevent" else task.computes * (1 / share - 1)
    return Flow(speed, running_s, own_s, wait_s, cpu_s, main_total_s, memory)


def _usable_cores(wanted: float, cores: int, load: int) -> float:
    """Cores that the workers can use, if they want so many, beside ``load`` processes."""
    if wanted + load <= cores:
        return float(cores - load)
    return cores * wanted / (wanted + load)


def _bent(linear: float, level: float, task: Task) -> float:
    """Items/s that grow with the slots up to a level, with a bend in between."""
    waiting = task.waits / max(task.computes + task.waits, 1e-9)
    sharpness = task.softness / max(waiting, 0.05)
    low, high = sorted((linear, level))
    return low * math.pow(1 + (low / high) ** sharpness, -1 / sharpness)


def every_candidate(cores: int) -> Iterator[Candidate]:
    """All pools with 1 to 512 slots and with 1, 2 and ``cores`` workers."""
    for workers in sorted({1, 2, cores}):
        yield Candidate("solo", 1, workers)
        for pool in ("prefork", "threads", "gevent"):
            for power in range(10):
                slots = 2**power
                if slots % workers == 0:
                    yield Candidate(pool, slots // workers, workers)
