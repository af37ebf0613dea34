"""Reads how many processes, threads, open files and bytes of memory this machine still allows.

On Linux the limits of the system, of the user and of all control groups around this process count.
Elsewhere those count that psutil and ``getrlimit`` know.
"""

import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from poolrace.workers.system import psutil

KIB, MIB, GIB = 2**10, 2**20, 2**30

FREE_SHARE = 0.9
"""Share of the free memory that may be taken; the rest is for programs that run already."""

REDIS_CLIENTS = 10_000
"""Connections that a Redis server accepts by default (``maxclients``)."""

REDIS_FILES = 32
"""Open files that Redis needs besides its connections, in its own calculation."""

MAX_GREENLETS = 100_000
"""Greenlets or coroutines of one process, at most: all of them share one thread. 100,000 coroutines
took 25 CPU seconds and 437 MiB, 4 KiB each."""

DEFAULT_STACK = 2 * MIB
"""Bytes of a thread's stack where ``ulimit -s`` sets no limit, in glibc on x86-64."""

CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, order=True, slots=True)
class Limit:
    """A limit on a resource: the number of its units that can still be taken, and its name."""

    number: int
    name: str


UNLIMITED = Limit(2**62, "no limit")


@dataclass(frozen=True, slots=True)
class FreeResources:
    """Limits within which new processes can be started."""

    memory_bytes: Limit = UNLIMITED
    tasks: Limit = UNLIMITED
    """Processes and threads."""
    open_files: Limit = UNLIMITED
    """Open files of one process."""
    mappings: Limit = UNLIMITED
    """Memory mappings of one process."""
    address_bytes: Limit = UNLIMITED
    """Virtual memory of one process."""
    redis_clients: Limit = UNLIMITED
    """Connections to a Redis server that is started on this machine."""
    greenlets: Limit = Limit(MAX_GREENLETS, "of one thread")
    """Greenlets or coroutines of one process."""


def free_resources() -> FreeResources:
    """Read the limits of this machine, as they apply to this process and its children."""
    files, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Redis raises its own soft limit.
    redis_files = Limit(max(0, _finite(most_files) - REDIS_FILES), "ulimit -Hn")
    address, _ = resource.getrlimit(resource.RLIMIT_AS)
    mappings = _number(Path("/proc/sys/vm/max_map_count"))
    return FreeResources(
        memory_bytes=min(_memory_limits()),
        tasks=min(_task_limits()),
        open_files=Limit(_finite(files), "ulimit -n"),
        mappings=UNLIMITED if mappings is None else Limit(mappings, "vm.max_map_count"),
        address_bytes=Limit(_finite(address), "ulimit -v"),
        redis_clients=min(redis_files, Limit(REDIS_CLIENTS, "maxclients of Redis")),
    )


def stack_bytes() -> int:
    """Virtual memory of a new thread's stack."""
    soft, _ = resource.getrlimit(resource.RLIMIT_STACK)
    return DEFAULT_STACK if soft == resource.RLIM_INFINITY else soft


def _finite(limit: int) -> int:
    return UNLIMITED.number if limit == resource.RLIM_INFINITY else limit


def _memory_limits() -> Iterator[Limit]:
    """Limits on the memory of new processes."""
    share = f"{FREE_SHARE:.0%} of the free memory"
    yield Limit(int(FREE_SHARE * psutil.virtual_memory().available), share)
    for most, used, cache in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),  # version 1
    ):
        for group in _control_groups("memory"):
            limit, usage = _number(group / most), _number(group / used)
            if limit is not None and usage is not None:
                # The kernel drops cached files before it ends a process.
                free = max(0, limit - usage + _statistic(group / "memory.stat", cache))
                yield Limit(int(FREE_SHARE * free), f"{share} in the control group")


def _task_limits() -> Iterator[Limit]:
    """Limits on the number of new processes and threads."""
    yield UNLIMITED
    total = _all_tasks()
    for name in ("pid_max", "threads-max"):
        if (limit := _number(Path("/proc/sys/kernel", name))) is not None:
            yield Limit(max(0, limit - total), f"{name}, less those that run")
    for group in _control_groups("pids"):
        limit, current = _number(group / "pids.max"), _number(group / "pids.current")
        if limit is not None and current is not None:
            yield Limit(
                max(0, limit - current), "pids.max of the control group, less those that run"
            )
    user, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if user != resource.RLIM_INFINITY:
        yield Limit(max(0, user - _tasks_of_user()), "ulimit -u, less those that run")


def _all_tasks() -> int:
    """Number of processes and threads of this machine; without ``/proc`` of processes only."""
    try:
        return int(Path("/proc/loadavg").read_text().split()[3].partition("/")[2])
    except (OSError, IndexError, ValueError):
        return len(psutil.pids())


def _tasks_of_user() -> int:
    """Number of processes and threads of this user; without ``/proc`` all processes count."""
    tasks = 0
    for pid in psutil.pids():
        try:
            threads = Path(f"/proc/{pid}/task").stat()
        except OSError:  # it has ended, or there is no /proc
            continue
        if threads.st_uid == os.geteuid():
            tasks += threads.st_nlink - 2  # a directory for each thread
    return tasks or len(psutil.pids())


def _control_groups(controller: str) -> Iterator[Path]:
    """Directories of the control groups that this process is in, from the inner to the outer one.

    In a container the path may be that of the host; the container sees its own group as the root.
    """
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, path = line.split(":", 2)
        root = CGROUPS / controller if controller in controllers.split(",") else CGROUPS
        if number != "0" and root == CGROUPS:
            continue
        group = root / path.strip("/")
        while group != root.parent:
            yield group
            group = group.parent


def _number(path: Path) -> int | None:
    """The number in a file; ``None`` if there is no file, or if it has no number."""
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None


def _statistic(path: Path, name: str) -> int:
    """The number behind the name in a file with one name in each line; 0 if it is not there."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.split()[:1] == [name]), 0)
