"""The processes of a cluster, known even when it is broken, and never taken for others.

They share a session, which outlives its first process, and the cluster's directory as their
working directory. A session's number may come back after a restart of the machine, and a
user's shell may stand in the directory; both together are ours alone.
"""

import os
import signal
from contextlib import suppress
from pathlib import Path

import psutil


def members(session: int, directory: Path) -> list[psutil.Process]:
    """The living processes of that cluster, without ourselves."""
    return [
        process
        for process in psutil.process_iter()
        if process.pid != os.getpid() and _is_member(process, session, directory)
    ]


def end(session: int, supervisor: int, directory: Path, patience_s: float) -> None:
    """Ask the supervisor to stop its programs, and kill what is left after ``patience_s``."""
    for process in members(session, directory):
        if process.pid == supervisor:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGTERM)
            psutil.wait_procs([process], timeout=patience_s)
    while left := members(session, directory):
        for process in left:
            with suppress(psutil.NoSuchProcess):  # it ended by itself meanwhile
                process.kill()
        psutil.wait_procs(left, timeout=1.0)


def _is_member(process: psutil.Process, session: int, directory: Path) -> bool:
    try:
        return (
            os.getsid(process.pid) == session
            and process.status() != psutil.STATUS_ZOMBIE
            and Path(process.cwd()) == directory
        )
    except (psutil.Error, ProcessLookupError, PermissionError):
        return False  # it is gone, or another user's
