"""The part of psutil that workers need, read from ``/proc``: for interpreters without psutil.

The names and their meaning are those of psutil. Linux only (proc_pid_stat(5), proc_meminfo(5)).
"""

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
"""Clock ticks per second, in which the kernel counts CPU time."""


class Error(Exception):
    """Base class of the errors, as in psutil."""


class NoSuchProcess(Error):
    """There is no process with this id."""


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """CPU seconds of a process, and of its children that have ended."""

    user: float
    system: float
    children_user: float
    children_system: float


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of this machine."""

    available: int
    """Bytes that new processes can get without swapping."""


class Process:
    """A process, by its id; without an id this process."""

    def __init__(self, pid: int | None = None) -> None:
        self.pid = os.getpid() if pid is None else pid

    def children(self, *, recursive: bool = False) -> "list[Process]":
        """The processes that this process started, and with ``recursive`` their descendants."""
        _fields(self.pid)
        children_by_parent: dict[int, list[int]] = {}
        for pid in pids():
            try:
                parent = int(_fields(pid)[1])
            except NoSuchProcess:
                continue
            children_by_parent.setdefault(parent, []).append(pid)
        found = list(children_by_parent.get(self.pid, ()))
        for pid in found if recursive else ():
            found += children_by_parent.get(pid, ())  # the loop reaches them, too
        return [Process(pid) for pid in found]

    def cpu_times(self) -> CpuTimes:
        """CPU seconds of the process so far."""
        return CpuTimes(*(int(ticks) / TICKS_PER_S for ticks in _fields(self.pid)[11:15]))

    def create_time(self) -> float:
        """Start of the process: seconds since the epoch."""
        boot = next(
            int(line.split()[1])
            for line in (PROC / "stat").read_text().splitlines()
            if line.startswith("btime")
        )
        return boot + int(_fields(self.pid)[19]) / TICKS_PER_S


def pids() -> list[int]:
    """The ids of all processes."""
    return [int(path.name) for path in PROC.iterdir() if path.name.isdecimal()]


def virtual_memory() -> Memory:
    """The memory of this machine."""
    for line in (PROC / "meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return Memory(int(line.split()[1]) * 1024)
    return Memory(0)


def _fields(pid: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` after the name of the program, which may have spaces."""
    try:
        text = (PROC / str(pid) / "stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError) as error:
        raise NoSuchProcess(f"there is no process {pid}") from error
    return text.rpartition(")")[2].split()
