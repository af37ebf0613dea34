"""The guard: runs a command that must not outlive the process that started the guard.

``guard.py DIRECTORY COMMAND...``

The command runs until the guard's standard input ends: the producer closes it, or the producer
ends, even by SIGKILL. Then the guard ends the command with all its descendants,
daemons included, and removes the directory. It reports on standard output: ``pid N`` and, if the
command ends earlier, ``ended CODE``.

``start_guarded`` starts the guard by its path and with ``-E -P``, because the current directory
and PYTHONPATH may be the user's and may hold packages of any name. So this file imports nothing
but the standard library and psutil.
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
from typing import IO

import psutil

STOP_S = 2.0
"""Seconds between SIGTERM and SIGKILL, for a command to close its connections, and for the
supervisor of a cluster to stop its programs (1.1 to 2 s)."""

POLL_S = 0.2
"""Seconds between two checks of whether the command has ended."""

LINE_BYTES = 64
"""Bytes of the longest line that a guard writes."""

PR_SET_CHILD_SUBREAPER = 36


class GuardedProcess:
    """A command that runs under a guard, started by ``start_guarded``."""

    def __init__(self, guard: "subprocess.Popen[bytes]", pid: int) -> None:
        self.guard_pid = guard.pid
        """Id of the guard, and of the session that the guard and the command share."""
        self.pid = pid
        """Id of the command's process."""
        self._guard = guard
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether the command has ended, or its guard."""
        self._ended = self._ended or self._has_reported_end()
        return self._ended

    def release(self) -> None:
        """Tell the guard to end the command; does not wait for it."""
        if self._guard.stdin:
            self._guard.stdin.close()

    def stop(self) -> None:
        """Tell the guard to end the command, and wait until both have ended."""
        self.release()
        self._guard.wait()
        self._ended = True
        if self._guard.stdout:
            self._guard.stdout.close()

    def _has_reported_end(self) -> bool:
        """Whether the guard reported the command's end, or its own output ended; never blocks."""
        output = self._guard.stdout
        line: bytes | None = output.read(LINE_BYTES) if output else b""
        return line is not None and (line == b"" or line.startswith(b"ended"))


def start_guarded(
    command: list[str],
    directory: Path,
    *,
    cwd: Path,
    environment: dict[str, str],
    log: IO[bytes] | int = subprocess.DEVNULL,
) -> GuardedProcess:
    """Start a command under a guard, which removes ``directory`` when the command is ended.

    ``log`` takes the output of the command and of the guard. Raises ``ChildProcessError`` if the
    command cannot be started.
    """
    guard = subprocess.Popen(
        [sys.executable, "-E", "-P", __file__, str(directory), *command],
        cwd=cwd,
        env=environment,
        start_new_session=True,  # out of reach of the terminal's Ctrl-C
        bufsize=0,  # a read returns the bytes available, and does not wait for more
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
    )
    output = guard.stdout
    first_line = output.readline().decode() if output else ""
    name, _, number = first_line.partition(" ")
    if name != "pid" or not output:
        guard.communicate()
        raise ChildProcessError(f"{command[0]} did not start")
    os.set_blocking(output.fileno(), False)
    return GuardedProcess(guard, int(number))


def main(directory: Path, command: list[str]) -> None:
    """Run the command until standard input ends, then end it and remove the directory."""
    _adopt_orphans()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=2, stderr=2)
    # The guard ends only when its standard input ends, so it ignores signals; but only after it
    # started the command, which would inherit the ignored signals.
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    _report(f"pid {process.pid}")
    owner = threading.Thread(target=sys.stdin.buffer.read, daemon=True)
    owner.start()
    reported = False
    while owner.is_alive():
        owner.join(timeout=POLL_S)
        if not reported and process.poll() is not None:
            reported = True
            _report(f"ended {process.returncode}")
    _end(process)
    shutil.rmtree(directory, ignore_errors=True)


def _adopt_orphans() -> None:
    """Make this process, instead of init, the parent of orphaned descendants (Linux, prctl(2))."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Send SIGTERM to the command, and kill remaining descendants after ``STOP_S``."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
    while remaining := _remaining():
        for descendant in remaining:
            with contextlib.suppress(psutil.NoSuchProcess):  # the process has just ended
                descendant.kill()
        psutil.wait_procs(remaining, timeout=1.0)


def _remaining() -> list[psutil.Process]:
    """Descendants of this process and, where orphans are not adopted, its session."""
    remaining = psutil.Process().children(recursive=True)
    if sys.platform != "linux" and os.getsid(0) == os.getpid():
        remaining += filter(_in_our_session, psutil.process_iter())
    return remaining


def _in_our_session(process: psutil.Process) -> bool:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        return process.pid != os.getpid() and os.getsid(process.pid) == os.getsid(0)
    return False


def _report(line: str) -> None:
    """Write a line to the producer, unless the producer has ended."""
    with contextlib.suppress(OSError):
        os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
