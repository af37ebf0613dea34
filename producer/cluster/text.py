"""Renders the texts that ``producer up``, ``make up`` and ``producer status`` print."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from poolrace.producer.cluster.state import Cluster
from poolrace.producer.cluster.status import Status
from poolrace.producer.program import PROGRAM
from poolrace.workers.pools import POOLS

FIRST_COMMANDS = (
    "run sum --pool prefork",
    "run mixed --pool gevent",
    "compare sum",
    "status",
)
"""Commands of ``producer`` to try first on a cluster that was just started."""


def program_name() -> str:
    """The program's name as it can be typed: its path if it is not on PATH."""
    path = Path(sys.executable).with_name(PROGRAM)
    return PROGRAM if shutil.which(PROGRAM) else shlex.quote(os.path.relpath(path))


def render_started(cluster: Cluster) -> str:
    """Text for a local cluster that was just started."""
    pools = ", ".join(
        f"{pool} ({slots} slot(s))"
        for pool, slots in cluster.pools.items()
        if cluster.workers[pool]
    )
    running = [pool for pool in cluster.pools if cluster.workers[pool]]
    commands = next_commands(f"{program_name()} down", pools=running)
    return f"a local cluster is running: {pools}\n{_hosts(cluster)}{_flower(cluster)}{commands}"


def next_commands(*last: str, pools: Iterable[str] = tuple(POOLS)) -> str:
    """List of commands to type next, for a cluster with these pools; it ends with ``last``."""
    possible = (each for each in FIRST_COMMANDS if _pool_of(each) in {"", *pools})
    commands = (*(f"{program_name()} {arguments}" for arguments in possible), *last)
    return "\n  ".join(("next:", *commands)) + "\n"


def _pool_of(command: str) -> str:
    """The pool that a command names; empty if it names none."""
    return command.partition(" --pool ")[2]


def render_status(status: Status) -> str:
    """Text for the status of a cluster: a line for each worker."""
    workers = [
        f"  {worker.name}: {worker.slots} slot(s), pid {worker.pid}, {worker.host.cores} cores,"
        f" {worker.host.interpreter}"
        for worker in status.workers
    ]
    local = _hosts(status.local) + _flower(status.local) if status.local else ""
    return "\n".join((f"broker {status.broker}", *(workers or ["  no worker"]), local))


def _hosts(cluster: Cluster) -> str:
    """Lines with the interpreter of each host, if hosts have others, and the missing pools."""
    lines = [f"{host} runs {path}\n" for host, path in cluster.interpreters.items()]
    return "".join(
        [*lines, *(f"left out: {name}: {why}\n" for name, why in cluster.left_out.items())]
    )


def _flower(cluster: Cluster) -> str:
    return f"Flower: {cluster.flower_url} (login {cluster.flower_login})\n"
