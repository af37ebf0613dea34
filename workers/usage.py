"""What a tree of processes used so far: CPU seconds, context switches, peak memory."""

import contextlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

LINUX = sys.platform == "linux"


@dataclass(frozen=True, slots=True)
class Usage:
    """Counters of a process or a tree of processes, since it began."""

    cpu_s: float = 0.0
    voluntary_switches: int = 0
    involuntary_switches: int = 0
    peak_memory_bytes: int = 0
    """Sum over processes of the largest resident set; shared pages count in each."""

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.cpu_s + other.cpu_s,
            self.voluntary_switches + other.voluntary_switches,
            self.involuntary_switches + other.involuntary_switches,
            self.peak_memory_bytes + other.peak_memory_bytes,
        )


Usages = Mapping[str, Usage]
"""Usage of each process or tree that takes part, by a name that a restart changes."""


def used_between(before: Usages, after: Usages) -> Usage:
    """What was used between two snapshots, all together; the peak is that of the later one.

    What began in between counts from its beginning; what ended in between cannot be counted.
    """
    total = Usage()
    for name, now in after.items():
        then = before.get(name, Usage())
        total += Usage(
            now.cpu_s - then.cpu_s,
            now.voluntary_switches - then.voluntary_switches,
            now.involuntary_switches - then.involuntary_switches,
            now.peak_memory_bytes,
        )
    return total


def usage_of(pids: Iterable[int], *, reset_peak: bool = False) -> Usage:
    """Usage of these processes together; one that is gone counts nothing.

    ``reset_peak`` makes the peak count from now on (Linux; elsewhere the peak is the memory
    at the moment of asking).
    """
    total = Usage()
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            if reset_peak and LINUX:
                # 5: "reset the peak resident set size" (proc_pid_clear_refs(5))
                Path(f"/proc/{pid}/clear_refs").write_text("5")
            total += _usage(psutil.Process(pid))
    return total


def usage_of_tree(pid: int, *, reset_peak: bool = False) -> Usage:
    """Usage of the process and all its descendants, those already reaped included."""
    root = psutil.Process(pid)
    reaped = root.cpu_times()
    pids = [pid, *(child.pid for child in root.children(recursive=True))]
    return usage_of(pids, reset_peak=reset_peak) + Usage(
        cpu_s=reaped.children_user + reaped.children_system
    )


def _usage(process: psutil.Process) -> Usage:
    times = process.cpu_times()
    switches, peak = _linux(process.pid) if LINUX else _elsewhere(process)
    return Usage(times.user + times.system, *switches, peak)


def _linux(pid: int) -> tuple[tuple[int, int], int]:
    """Switches of all threads (psutil reads the first thread's only) and the peak."""
    voluntary = involuntary = peak = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        status = _fields(task / "status")
        voluntary += status.get("voluntary_ctxt_switches", 0)
        involuntary += status.get("nonvoluntary_ctxt_switches", 0)
        peak = max(peak, status.get("VmHWM", 0) * 1024)
    return (voluntary, involuntary), peak


def _fields(path: Path) -> dict[str, int]:
    fields = {}
    for line in path.read_text().splitlines():
        name, _, value = line.partition(":")
        number = value.split()[:1]
        if number and number[0].isdecimal():
            fields[name] = int(number[0])
    return fields


def _elsewhere(process: psutil.Process) -> tuple[tuple[int, int], int]:
    switches = process.num_ctx_switches()
    return (switches.voluntary, switches.involuntary), process.memory_info().rss
