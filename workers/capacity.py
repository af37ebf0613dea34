"""How many processes, threads and greenlets this machine can hold; refuses larger numbers.

The one place with such limits. Callers ask before they start anything, because a machine that runs
out of memory or of processes fails for other programs, too.
"""

import resource
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from poolrace.workers.errors import UsageError
from poolrace.workers.pools import pool_named
from poolrace.workers.system import psutil

Demand = Counter[str]
"""Number of processes, threads and greenlets to start, by kind of slot: ``process``, ``thread``,
``interpreter``, ``greenlet`` (a coroutine counts as a greenlet)."""

KIB, MIB, GIB = 2**10, 2**20, 2**30

BYTES = {"process": 24 * MIB, "interpreter": 16 * MIB, "thread": 64 * KIB, "greenlet": 16 * KIB}
"""Bytes of memory that one process, interpreter, thread or greenlet needs. Measured while chunks
wait, without shared pages: 15 MiB for a process of the model ``processes``, 20 to 34 MiB for a
child of prefork, 50 MiB for a worker; 13 MiB for a sub-interpreter; 27 KiB for a thread; 4 KiB for
a greenlet or a coroutine."""

PROCESS_FILES = 8
"""Open files that a parent process needs for each child process; 4 to 7 were measured."""

OTHER_FILES = 64
"""Open files that a parent process needs besides those for its child processes."""

MAX_GREENLETS = 10_000
"""Greenlets or coroutines of one process, at most: all of them share one thread."""

PLURALS = {
    "process": "processes",
    "interpreter": "interpreters",
    "thread": "threads",
    "greenlet": "greenlets or coroutines",
}


def worker_demand(pool: str, slots: int, workers: int = 1) -> Demand:
    """The demand of Celery workers with this number of slots each, child processes included."""
    demand = Demand(process=workers)
    if pool != "solo":  # its worker is the slot
        demand[pool_named(pool).slot] += workers * slots
    return demand


def require_workers(wanted: str, pool: str, slots: int, workers: int = 1) -> None:
    """Raise ``UsageError`` for Celery workers, with this number of slots each, beyond this machine.

    Each worker is the parent of its own child processes, with open files of its own.
    """
    require_capacity(wanted, worker_demand(pool, slots))
    require_capacity(wanted, worker_demand(pool, slots, workers), one_parent=False)


def require_capacity(wanted: str, demand: Demand, *, one_parent: bool = True) -> None:
    """Raise ``UsageError`` for a demand beyond this machine; ``wanted`` names it in the message.

    ``one_parent`` says whether all processes have the same parent, which has files open for each.
    """
    for kind, number in demand.items():
        most, reason = min(_limits(kind, max(demand["process"], 1), one_parent=one_parent))
        if number > most:
            raise UsageError(
                f"{wanted} needs {number:,} {PLURALS[kind]}, more than this machine can hold:"
                f" {reason}; give at most {max(most, 1):,} in all"
            )


def _limits(kind: str, processes: int, *, one_parent: bool) -> Iterator[tuple[int, str]]:
    """The limits on the number of slots of this kind, with what sets each of them."""
    memory = _free_memory()
    each = f"{BYTES[kind] / MIB:g} MiB" if BYTES[kind] >= MIB else f"{BYTES[kind] / KIB:g} KiB"
    yield memory // BYTES[kind], f"{memory / GIB:.1f} GiB of memory are free, and each takes {each}"
    if kind == "greenlet":
        yield processes * MAX_GREENLETS, f"a process has at most {MAX_GREENLETS:,}"
        return
    tasks = _free_tasks()
    yield tasks, f"{tasks:,} more processes and threads are allowed"
    if kind == "process" and one_parent:
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if files != resource.RLIM_INFINITY:
            reason = f"each takes {PROCESS_FILES} of {files:,} open files (ulimit -n)"
            yield max(0, files - OTHER_FILES) // PROCESS_FILES, reason


def _free_memory() -> int:
    """Bytes of memory that new processes can get, within the control group's limit."""
    limits = (
        _number("/sys/fs/cgroup/memory.max"),
        _number("/sys/fs/cgroup/memory/memory.limit_in_bytes"),  # version 1
    )
    return min([psutil.virtual_memory().available, *(n for n in limits if n is not None)])


def _free_tasks() -> int:
    """Number of processes and threads that can be started, by the limits of user and system."""
    user, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    limits = (
        None if user == resource.RLIM_INFINITY else user,
        _number("/proc/sys/kernel/pid_max"),
        _number("/proc/sys/kernel/threads-max"),
        _number("/sys/fs/cgroup/pids.max"),
        _number("/sys/fs/cgroup/pids/pids.max"),  # version 1
    )
    known = [limit for limit in limits if limit is not None]
    return max(0, min(known) - len(psutil.pids())) if known else 2**31


def _number(path: str) -> int | None:
    """The number in a file; ``None`` if there is no file, or if it has no number."""
    try:
        text = Path(path).read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None
