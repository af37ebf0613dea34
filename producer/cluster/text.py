"""The texts of ``producer up``, ``make up`` and ``producer status``."""

import os
import shlex
import shutil
import sys
from pathlib import Path

from poolrace.producer.cluster.state import Cluster
from poolrace.producer.cluster.status import Status
from poolrace.producer.program import PROGRAM

NEXT = ("run sum --pool prefork", "run mixed --pool gevent", "compare sum", "status")
"""Commands to try first on a cluster that was just started."""


def render_started(cluster: Cluster) -> str:
    """Text for a local cluster that was just started."""
    pools = ", ".join(f"{pool} ({slots} slot(s))" for pool, slots in cluster.pools.items())
    then = next_commands(f"{_producer()} down")
    return f"a local cluster is running: {pools}\n{_flower(cluster)}{then}"


def next_commands(*last: str) -> str:
    """List of commands to type next, for a cluster of any kind; it ends with ``last``."""
    commands = (*(f"{_producer()} {arguments}" for arguments in NEXT), *last)
    return "\n  ".join(("next:", *commands)) + "\n"


def render_status(status: Status) -> str:
    """Text for the status of a cluster: a line for each worker."""
    workers = [
        f"  {worker.name}: {worker.slots} slot(s), pid {worker.pid}, {worker.host.cores} cores,"
        f" {worker.host.python}"
        for worker in status.workers
    ]
    flower = _flower(status.local) if status.local else ""
    return "\n".join((f"broker {status.broker}", *(workers or ["  no worker"]), flower))


def _producer() -> str:
    """This program as it can be typed here: by its path if it is not on PATH."""
    beside = Path(sys.executable).with_name(PROGRAM)
    return PROGRAM if shutil.which(PROGRAM) else shlex.quote(os.path.relpath(beside))


def _flower(cluster: Cluster) -> str:
    return f"Flower: {cluster.flower_url} (login {cluster.flower_login})\n"
