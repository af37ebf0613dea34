"""Facts of a host that decide how fast it can compute: cores, CPU quota, CPU, interpreter."""

import hashlib
import platform
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from poolrace.workers.interpreter_facts import (
    build_flags,
    gil_enabled,
    is_free_threaded,
    jit_enabled,
)
from poolrace.workers.pools import CORES

PACKAGES = ("celery", "kombu", "redis", "gevent", "numpy")
"""Packages whose versions can change how fast a worker is."""


@dataclass(frozen=True, slots=True)
class HostFacts:
    """Facts of one host, read by a process on this host."""

    host: str
    machine: str
    """Identifier of the machine; hosts with the same one, such as containers, share its cores."""
    cores: int
    """Number of cores that the process may run on."""
    cpu_quota: float | None
    """CPU limit of the control group, in cores; ``None``: no limit."""
    cpu: str
    system: str
    python: str
    gil: bool
    """Whether this Python has a global interpreter lock switched on."""
    free_threaded: bool = False
    """Whether this Python is a free-threaded build; ``False`` also if it was not announced."""
    jit: bool | None = None
    """Whether its JIT compiler is on; ``None``: not known."""
    build_flags: str = ""
    """Options of ``configure`` that this Python was built with, without paths; empty: not known."""
    versions: dict[str, str] = field(default_factory=dict)
    """Package -> its version under this Python; empty: not known."""

    @property
    def interpreter(self) -> str:
        """The interpreter as text, such as ``CPython 3.13.5 free-threaded, GIL off``."""
        build = " free-threaded" if self.free_threaded else ""
        jit = ", JIT on" if self.jit else ""
        return f"{self.python}{build}, GIL {'on' if self.gil else 'off'}{jit}"

    @classmethod
    def collect(cls, host: str) -> "HostFacts":
        """Read the facts of the host that this process runs on."""
        return cls(
            host=host,
            machine=_machine(host),
            cores=CORES,
            cpu_quota=_cpu_quota(),
            cpu=_cpu_model(),
            system=f"{platform.system()} {platform.release()}",
            python=f"{platform.python_implementation()} {platform.python_version()}",
            gil=gil_enabled(),
            free_threaded=is_free_threaded(),
            jit=jit_enabled(),
            build_flags=build_flags(),
            versions=versions_of(PACKAGES),
        )

    def to_json(self) -> dict[str, Any]:
        """The facts as a JSON object."""
        return asdict(self)


def versions_of(packages: Iterable[str]) -> dict[str, str]:
    """The versions of those of these packages that this Python has."""
    found = {}
    for package in packages:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def usable_cores(hosts: Iterable[HostFacts]) -> float:
    """The cores that these hosts can use: within their quotas, and each machine's cores once."""
    by_machine: dict[str, list[HostFacts]] = {}
    for facts in hosts:
        by_machine.setdefault(facts.machine, []).append(facts)
    return sum(
        min(max(facts.cores for facts in group), sum(_allowed_cores(facts) for facts in group))
        for group in by_machine.values()
    )


def _allowed_cores(facts: HostFacts) -> float:
    return min(facts.cores, facts.cpu_quota or facts.cores)


def _machine(host: str) -> str:
    """Identifier of the machine: a hash of Linux' boot id, which all containers can read.

    On other systems the host's name.
    """
    boot_id = _fields("/proc/sys/kernel/random/boot_id")
    return hashlib.sha256(boot_id[0].encode()).hexdigest()[:12] if boot_id else host


def _cpu_quota() -> float | None:
    """The CPU quota of control groups version 2, else of version 1."""
    version_2 = _fields("/sys/fs/cgroup/cpu.max")
    if len(version_2) == 2 and version_2[0] != "max":
        return int(version_2[0]) / int(version_2[1])
    quota = _fields("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
    period = _fields("/sys/fs/cgroup/cpu/cpu.cfs_period_us")
    return int(quota[0]) / int(period[0]) if quota and period and int(quota[0]) > 0 else None


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())


def _fields(path: str) -> list[str]:
    """The fields of a file, separated by white space; none if the file cannot be read."""
    try:
        return Path(path).read_text().split()
    except OSError:
        return []
