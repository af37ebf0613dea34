"""Reads the resource usage of processes: CPU seconds, context switches, peak memory."""

import contextlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from poolrace.workers.system import psutil

LINUX = sys.platform == "linux"

RESET_PEAK = "5"
"""Text for ``/proc/PID/clear_refs`` that resets the peak resident set size
(proc_pid_clear_refs(5))."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Resource usage of a process, or of a process and its descendants, since its start."""

    cpu_s: float = 0.0
    voluntary_switches: int = 0
    involuntary_switches: int = 0
    peak_memory_bytes: int = 0
    """Sum of the processes' peak resident set sizes; shared pages count in each process."""

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.cpu_s + other.cpu_s,
            self.voluntary_switches + other.voluntary_switches,
            self.involuntary_switches + other.involuntary_switches,
            self.peak_memory_bytes + other.peak_memory_bytes,
        )


Usages = Mapping[str, Usage]
"""Usage by process or worker; a process or worker that restarts gets a new key."""


def latest(earlier: Usages, later: Usages) -> Usages:
    """The later usage of each process or worker; the earlier one where that has ended meanwhile.

    While a process ends, less than its usage is read, or none.
    """
    none = Usage()
    grown = {name: now for name, now in later.items() if now.cpu_s >= earlier.get(name, none).cpu_s}
    return {**earlier, **grown}


def used_between(before: Usages, after: Usages) -> Usage:
    """The total usage between two snapshots; peak memory is that of the later snapshot.

    A process that started in between counts from its start; one that ended in between does not
    count.
    """
    total = Usage()
    for name, later in after.items():
        earlier = before.get(name, Usage())
        total += Usage(
            later.cpu_s - earlier.cpu_s,
            later.voluntary_switches - earlier.voluntary_switches,
            later.involuntary_switches - earlier.involuntary_switches,
            later.peak_memory_bytes,
        )
    return total


def usage_of(pids: Iterable[int], *, reset_peak: bool = False) -> Usage:
    """The total usage of these processes; a process that ended counts as no usage.

    ``reset_peak`` makes the next peak the peak since this call (on Linux; elsewhere the peak is
    the present memory).
    """
    total = Usage()
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            if reset_peak and LINUX:
                Path(f"/proc/{pid}/clear_refs").write_text(RESET_PEAK)
            total += _usage(psutil.Process(pid))
    return total


def usage_of_tree(pid: int, *, reset_peak: bool = False) -> Usage:
    """The total usage of a process and its descendants, including children already reaped."""
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    reaped = Usage()
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            reaped += Usage(cpu_s=times.children_user + times.children_system)
    return usage_of((process.pid for process in processes), reset_peak=reset_peak) + reaped


def cpu_s_of_tree(pid: int) -> float:
    """CPU seconds of a process and its descendants, including children already reaped."""
    total_s = 0.0
    for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total_s += times.user + times.system + times.children_user + times.children_system
    return total_s


def _usage(process: psutil.Process) -> Usage:
    times = process.cpu_times()
    switches, peak = _linux_counters(process.pid) if LINUX else _other_counters(process)
    return Usage(times.user + times.system, *switches, peak)


def _linux_counters(pid: int) -> tuple[tuple[int, int], int]:
    """Context switches of all threads (psutil reads the first thread only), and peak memory."""
    voluntary = involuntary = peak = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        status = status_numbers(task / "status")
        voluntary += status.get("voluntary_ctxt_switches", 0)
        involuntary += status.get("nonvoluntary_ctxt_switches", 0)
        peak = max(peak, status.get("VmHWM", 0) * 1024)
    return (voluntary, involuntary), peak


def status_numbers(path: Path) -> dict[str, int]:
    """The numbers in a file of procfs with lines as ``VmHWM:  52 kB``, by their names."""
    numbers = {}
    for line in path.read_text().splitlines():
        name, _, value = line.partition(":")
        words = value.split()
        if words and words[0].isdecimal():
            numbers[name] = int(words[0])
    return numbers


def _other_counters(process: psutil.Process) -> tuple[tuple[int, int], int]:
    switches = process.num_ctx_switches()
    return (switches.voluntary, switches.involuntary), process.memory_info().rss
