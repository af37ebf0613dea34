"""All processes of a cluster share one session, by which they are known even when it is broken.

A session lasts as long as one of its processes, and its number, the process id of its first
process, is not given to another process before it ends.
"""

import contextlib
import os
import signal
import time

import psutil


def members(session: int) -> list[psutil.Process]:
    """The processes of the session, without ourselves."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(process.pid) == session and process.pid != os.getpid():
                found.append(process)
    return found


def end(session: int, leader: int, patience_s: float) -> None:
    """Ask the supervisor ``leader`` to stop, and kill what is left after ``patience_s``."""
    with contextlib.suppress(ProcessLookupError):
        if os.getsid(leader) == session:
            os.kill(leader, signal.SIGTERM)
            _gone(leader, time.monotonic() + patience_s)
    left = members(session)
    while left:
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=1.0)
        left = [process for process in members(session) if process.status() != "zombie"]


def _gone(pid: int, deadline: float) -> None:
    with contextlib.suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
        psutil.Process(pid).wait(timeout=max(0.0, deadline - time.monotonic()))
