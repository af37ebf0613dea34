"""The processes of a local cluster: finds them, also in a broken cluster, and ends them.

All processes of a cluster share a session, which outlives its first process, and have the
cluster's directory as their working directory. A session's number may come back after a restart
of the machine, and a user's shell may run in the directory; a process with both belongs to the
cluster.
"""

import os
import signal
from contextlib import suppress
from pathlib import Path

import psutil


def members(session: int, directory: Path) -> list[psutil.Process]:
    """The living processes of the cluster, without the calling process."""
    return [
        process
        for process in psutil.process_iter()
        if process.pid != os.getpid() and _is_member(process, session, directory)
    ]


def end(session: int, directory: Path, stop_s: float) -> None:
    """Tell the supervisor to stop its programs; kill what still runs after ``stop_s`` seconds."""
    running = members(session, directory)
    for process in running:
        with suppress(psutil.NoSuchProcess):  # the process has just ended
            if process.ppid() == session:  # the supervisor is the child of its guard
                process.send_signal(signal.SIGTERM)
    psutil.wait_procs(running, timeout=stop_s)
    while remaining := members(session, directory):
        for process in remaining:
            with suppress(psutil.NoSuchProcess):  # as above
                process.kill()
        psutil.wait_procs(remaining, timeout=1.0)


def _is_member(process: psutil.Process, session: int, directory: Path) -> bool:
    try:
        return (
            os.getsid(process.pid) == session
            and process.status() != psutil.STATUS_ZOMBIE
            and Path(process.cwd()) == directory
        )
    except (psutil.Error, ProcessLookupError, PermissionError):
        return False  # the process has just ended, or is another user's
