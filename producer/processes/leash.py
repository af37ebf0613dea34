"""``leash.py DIRECTORY COMMAND...``: a command that does not outlive whoever holds the leash.

Runs the command until standard input ends, which it does when the producer closes it or dies in
whatever way. Then it ends the command with all it started, daemons included, and removes the
directory. Tells on standard output ``pid N`` and, if the command ends before, ``ended CODE``.

Called by its path, with ``-E -P``: the current directory and PYTHONPATH are the user's, and may
hold packages of any name.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil

PR_SET_CHILD_SUBREAPER = 36

PATIENCE_S = 2.0
"""Seconds for a worker to end by itself, so that what it opened elsewhere is closed."""


def main(directory: Path, command: list[str]) -> None:
    """Hold the command."""
    if sys.platform == "linux":
        # What the command leaves behind becomes our child instead of init's.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=2, stderr=2)
    # Only now, for the command would inherit it: the pipe alone decides.
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    _tell(f"pid {process.pid}")
    over = threading.Thread(target=sys.stdin.buffer.read, daemon=True)
    over.start()
    told = False
    while over.is_alive():
        over.join(timeout=0.2)
        if not told and process.poll() is not None:
            told = True
            _tell(f"ended {process.returncode}")
    _end(process)
    shutil.rmtree(directory, ignore_errors=True)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ask the command to end, and kill whatever is left."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE_S)
    while left := psutil.Process().children(recursive=True):
        for descendant in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                descendant.kill()
        psutil.wait_procs(left, timeout=1.0)


def _tell(line: str) -> None:
    """Whoever listens may be gone."""
    with contextlib.suppress(OSError):
        os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
