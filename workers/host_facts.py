"""The facts of this host that decide how fast it can be."""

import hashlib
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from poolrace.workers.pools import CORES


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What a host tells about itself."""

    host: str
    machine: str
    """Alike for hosts that share one machine, as containers do: they share its cores."""
    cores: int
    """Cores that this process may run on."""
    cpu_quota: float | None
    """Cores' worth of time that the control group allows, ``None``: no limit."""
    cpu: str
    system: str
    python: str
    gil: bool
    """Whether this Python has a global interpreter lock switched on."""

    @classmethod
    def collect(cls, host: str) -> "HostFacts":
        """Read the facts of the host we are on."""
        return cls(
            host=host,
            machine=_machine(host),
            cores=CORES,
            cpu_quota=_cpu_quota(),
            cpu=_cpu_model(),
            system=f"{platform.system()} {platform.release()}",
            python=f"{platform.python_implementation()} {platform.python_version()}",
            gil=getattr(sys, "_is_gil_enabled", lambda: True)(),  # Python 3.13 and newer tell
        )

    def to_json(self) -> dict[str, Any]:
        """The facts as a JSON object."""
        return asdict(self)


def _machine(host: str) -> str:
    """What tells machines apart: Linux draws a number at each boot, and containers see it."""
    boot = _words("/proc/sys/kernel/random/boot_id")
    return hashlib.sha256(boot[0].encode()).hexdigest()[:12] if boot else host


def _cpu_quota() -> float | None:
    v2 = _words("/sys/fs/cgroup/cpu.max")
    if len(v2) == 2 and v2[0] != "max":
        return int(v2[0]) / int(v2[1])
    quota, period = (_words(f"/sys/fs/cgroup/cpu/cpu.cfs_{it}_us") for it in ("quota", "period"))
    return int(quota[0]) / int(period[0]) if quota and period and int(quota[0]) > 0 else None


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _words(path: str) -> list[str]:
    try:
        return Path(path).read_text().split()
    except OSError:
        return []
