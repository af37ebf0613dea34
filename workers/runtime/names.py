"""Gives each worker a name of its own, also where several machines have the same host name.

Without it, two workers of one name count as one worker that is restarted again and again.
"""

import itertools
import json
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from poolrace.workers.host_facts import HostFacts
from poolrace.workers.runtime.presence import EXPIRE_S, name_key, presence_key
from poolrace.workers.system import psutil

if TYPE_CHECKING:
    import redis

START_S = 60
"""Seconds that a name is reserved for a worker that starts; it announces itself in 2 to 10 s."""

RENEWED_S = 3.5
"""Seconds within which a living worker renews its name: it does so every second."""

POLL_S = 0.1
"""Seconds between two looks at a name that another worker has."""

TAKE_OVER = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    return redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
end
"""
"""Script that takes a name over from a process that ended, unless another one was faster."""

CLOCK_S = 2.0
"""Seconds by which two readings of a process's start may differ, when the clock was set."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process, told apart from the processes of all machines and containers."""

    machine: str
    namespace: str
    """Namespace of process ids: each container has its own."""
    pid: int
    started: float
    """Start of the process: seconds since the epoch."""

    @classmethod
    def current(cls) -> "Process":
        """This process."""
        machine = HostFacts.collect(socket.gethostname()).machine
        namespace = ""
        with suppress(OSError):  # Linux only
            namespace = str(Path("/proc/self/ns/pid").readlink())
        return cls(machine, namespace, os.getpid(), psutil.Process().create_time())

    def to_json(self) -> dict[str, Any]:
        """The process as a JSON object."""
        return asdict(self)

    def alive(self, other: "Process") -> bool | None:
        """Whether the other process lives; ``None`` if this process cannot know."""
        if (self.machine, self.namespace) != (other.machine, other.namespace):
            return None
        try:
            started = psutil.Process(other.pid).create_time()
        except (psutil.Error, ValueError):
            return False
        return abs(started - other.started) < CLOCK_S


def reserve_host(client: "redis.Redis", pool: str, host: str) -> str:
    """Reserve a name for this process as worker of ``pool``; returns the host's part of the name.

    That is ``host``; or, where living workers have this name already, ``host-2``, ``host-3`` and
    so on. Takes up to ``RENEWED_S`` for each name that a worker elsewhere has or had.
    """
    process = Process.current()
    suffixes = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    return next(
        f"{host}{suffix}"
        for suffix in suffixes
        if _reserve(client, f"{pool}@{host}{suffix}", process)
    )


def _reserve(client: "redis.Redis", name: str, process: Process) -> bool:
    """Reserve the name, unless a living worker has it; returns whether it is reserved."""
    key, value = name_key(name), json.dumps(process.to_json())
    if client.set(key, value, nx=True, ex=START_S):
        # A worker of an older version announces itself without reserving its name.
        if not _renewed(lambda: client.pttl(presence_key(name))):
            return True
        client.delete(key)
        return False
    stored = cast("bytes | None", client.get(key)) or b""
    owner = _process(stored)
    alive = process.alive(owner) if owner else None
    if alive is None:
        alive = _renewed(lambda: client.pttl(key))
    return not alive and bool(client.eval(TAKE_OVER, 1, key, stored, value, START_S))


def _renewed(left_ms: Callable[[], Any]) -> bool:
    """Whether a key is renewed within ``RENEWED_S``, or was reserved a moment ago."""
    before = left_ms()
    deadline = time.monotonic() + RENEWED_S
    while before > 0 and time.monotonic() < deadline:
        if before > EXPIRE_S * 1000:
            return True  # by a worker that has not announced itself yet
        time.sleep(POLL_S)
        now = left_ms()
        if now > before:
            return True
        before = now
    return False


def _process(stored: bytes) -> Process | None:
    """The process in the value of a name's key; ``None`` for any other value."""
    try:
        return Process(**json.loads(stored))
    except (ValueError, TypeError):
        return None
