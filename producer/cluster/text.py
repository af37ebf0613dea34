"""A cluster in words: where it is, who works in it, what to type next."""

import os
import shlex
import shutil
import sys
from pathlib import Path

from poolrace.producer.cluster.lifecycle import Cluster
from poolrace.producer.cluster.status import Status
from poolrace.producer.program import PROGRAM

NEXT = ("run sum --pool prefork", "run mixed --pool gevent", "compare sum", "status")


def render(cluster: Cluster) -> str:
    """A cluster that was just started."""
    pools = ", ".join(f"{pool} ({slots} slot(s))" for pool, slots in cluster.pools.items())
    then = next_commands(f"{_producer()} down")
    return f"a local cluster is running: {pools}\n{_flower(cluster)}{then}"


def next_commands(*others: str) -> str:
    """What to type once a cluster runs, of whichever kind; ``others`` come last."""
    commands = (*(f"{_producer()} {arguments}" for arguments in NEXT), *others)
    return "\n  ".join(("next:", *commands)) + "\n"


def render_status(status: Status) -> str:
    """The workers that are there."""
    workers = [
        f"  {worker.name}: {worker.slots} slot(s), pid {worker.pid}, {worker.host.cores} cores,"
        f" {worker.host.python}"
        for worker in status.workers
    ]
    flower = _flower(status.local) if status.local else ""
    return "\n".join((f"broker {status.broker}", *(workers or ["  no worker"]), flower))


def _producer() -> str:
    """What to type for ``producer``: its path, where it is not on PATH."""
    beside = Path(sys.executable).with_name(PROGRAM)
    return PROGRAM if shutil.which(PROGRAM) else shlex.quote(os.path.relpath(beside))


def _flower(cluster: Cluster) -> str:
    return f"Flower: {cluster.flower_url} (login {cluster.flower_login})\n"
