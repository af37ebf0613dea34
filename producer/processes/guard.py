"""The guard: runs a command that must not outlive the process that started the guard.

``guard.py DIRECTORY STATE_FILE COMMAND...``

The command runs until the guard's standard input ends: the producer closes it, or the producer
ends, even by SIGKILL. Then the guard ends the command with all its descendants,
daemons included, and removes the directory. If the producer wrote ``KILL`` before, the guard sends
SIGKILL at once, else SIGTERM first. It reports on standard output: ``pid N`` and, if the
command ends earlier, ``ended CODE``.

A command that keeps running has a state file, by its name in the directory (an empty name: none).
While the file is there, the command runs on after the end of standard input; it ends when the file
or the directory is deleted or moved.

``start_guarded`` starts the guard by its path and with ``-E -P``, because the current directory
and PYTHONPATH may be the user's and may hold packages of any name. So this file imports nothing
but the standard library and psutil.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import stat
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
"""Seconds between two checks of whether the command has ended and the state file is there; a check
takes 10 microseconds."""

LINE_BYTES = 64
"""Bytes of the longest line that a guard writes."""

KILL = b"kill"
"""Text on standard input of a guard that is to send SIGKILL without SIGTERM before it."""

LOG_BYTES = 2**23
"""Bytes of a log above which the guard empties it: a command may write gigabytes."""

PR_SET_CHILD_SUBREAPER = 36


class GuardedProcess:
    """A command that runs under a guard, started by ``start_guarded``."""

    def __init__(self, guard: "subprocess.Popen[bytes]", pid: int) -> None:
        self.guard_pid = guard.pid
        """Id of the guard, and of the session that the guard and the command share."""
        self.pid = pid
        """Id of the command's process."""
        self.ending = ""
        """How the command ended, as ``exit code 3``; empty while it runs."""
        self._guard = guard
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether the command has ended, or its guard."""
        self._ended = self._ended or self._has_reported_end()
        return self._ended

    def release(self, *, kill: bool = False) -> None:
        """Close the guard's standard input; does not wait.

        The guard ends the command, unless the state file is there. ``kill`` makes it send SIGKILL
        without SIGTERM before it.
        """
        if self._guard.stdin and not self._guard.stdin.closed:
            with contextlib.suppress(BrokenPipeError):  # the guard was killed
                if kill:
                    self._guard.stdin.write(KILL)
            self._guard.stdin.close()

    def stop(self) -> None:
        """Tell the guard to end a command without a state file; wait until both have ended."""
        self.release()
        self._guard.wait()
        self._ended = True
        if self._guard.stdout:
            self._guard.stdout.close()

    def _has_reported_end(self) -> bool:
        """Whether the guard reported the command's end, or its own output ended; never blocks."""
        output = self._guard.stdout
        line: bytes | None = output.read(LINE_BYTES) if output else b""
        if line is None:
            return False
        if line.startswith(b"ended"):
            self.ending = _ending(int(line.split()[1]))
            return True
        self.ending = "its parent process was killed"
        return line == b""


def start_guarded(
    command: list[str],
    directory: Path,
    *,
    cwd: Path,
    environment: dict[str, str],
    log: IO[bytes] | int = subprocess.DEVNULL,
    state_file: str = "",
) -> GuardedProcess:
    """Start a command under a guard, which removes ``directory`` when the command is ended.

    ``log`` takes the output of the command and of the guard, which empties it when it is too long;
    a file must be open for appending. With a ``state_file`` in it, the directory must be ``cwd``.
    Raises ``ChildProcessError`` if the command cannot be started.
    """
    guard = subprocess.Popen(
        [sys.executable, "-E", "-P", __file__, str(directory), state_file, *command],
        cwd=cwd,
        env=environment,
        start_new_session=True,  # out of reach of the terminal's Ctrl-C
        bufsize=0,  # a read returns the bytes available, and does not wait for more
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
    )
    output = guard.stdout
    try:
        first_line = output.readline().decode() if output else ""
    except BaseException:
        guard.communicate()  # closes standard input, and waits until the guard has cleaned up
        raise
    name, _, number = first_line.partition(" ")
    if name != "pid" or not output:
        guard.communicate()
        raise ChildProcessError(f"{command[0]} did not start")
    os.set_blocking(output.fileno(), False)
    return GuardedProcess(guard, int(number))


def find_guard(directory: Path) -> int | None:
    """Process id of the guard of ``directory``, which may be deleted; ``None`` if there is none."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # it has just ended, or is another user's
            arguments = process.cmdline()
            if __file__ in arguments and str(directory) in arguments:
                return process.pid
    return None


def main(directory: Path, state_file: str, command: list[str]) -> None:
    """Run the command until nothing keeps it, then end it and remove the directory."""
    _adopt_orphans()
    # In a process group of its own: a command that kills its group does not kill the guard.
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=2, stderr=2, process_group=0
    )
    reaper = _Reaper(process.pid)
    # The guard ends only when its command is no longer kept, so it ignores signals; but only after
    # it started the command, which would inherit the ignored signals.
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    _report(f"pid {process.pid}")
    reaper.start()
    owner = _Owner()
    owner.start()
    reported = False
    while owner.is_alive():
        owner.join(timeout=POLL_S)
        _limit_log()
        if not reported and reaper.ended.is_set():
            reported = True
            _report(f"ended {reaper.code}")
    while _is_kept(directory, state_file) and not reaper.ended.wait(POLL_S):
        pass
    _end(reaper, 0.0 if owner.text == KILL else STOP_S)
    if not _is_kept(directory, state_file) and (not state_file or _is_current(directory)):
        shutil.rmtree(directory, ignore_errors=True)


class _Owner(threading.Thread):
    """Waits until standard input ends, which the owner of the command keeps open."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.text = b""
        """All that was written to standard input, once it has ended."""

    def run(self) -> None:
        """Read standard input to its end."""
        self.text = sys.stdin.buffer.read()


class _Reaper(threading.Thread):
    """Waits for the command, and for the orphans that this process adopts."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        """Process id of the command."""
        self.ended = threading.Event()
        """Set when the command has ended."""
        self.code = 0
        """Exit code of the command once it has ended."""

    def run(self) -> None:
        """Wait until this process has no children."""
        with contextlib.suppress(ChildProcessError):  # no child is left
            while True:
                pid, status = os.wait()
                if pid == self.pid:
                    self.code = os.waitstatus_to_exitcode(status)
                    self.ended.set()


def _is_kept(directory: Path, state_file: str) -> bool:
    """Whether the state file is in the directory, and the directory is where it was made."""
    if not state_file:
        return False
    try:
        (directory / state_file).stat()
        return _is_current(directory)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # a network file system, say, does not answer at the moment


def _is_current(directory: Path) -> bool:
    """Whether this process runs in ``directory``; its path may have got another one since."""
    return directory.exists() and directory.samefile(".")


def _adopt_orphans() -> None:
    """Make this process, instead of init, the parent of orphaned descendants (Linux, prctl(2))."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def _end(reaper: _Reaper, stop_s: float) -> None:
    """Send SIGTERM to the command, and kill remaining descendants after ``stop_s`` seconds."""
    if stop_s and not reaper.ended.is_set():
        with contextlib.suppress(ProcessLookupError):  # the command has just ended
            os.kill(reaper.pid, signal.SIGTERM)
        reaper.ended.wait(stop_s)
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


def _ending(code: int) -> str:
    """How a process with this exit code ended; signals have negative ones."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def _limit_log() -> None:
    """Empty the log when it gets too long. The command goes on at its new end."""
    with contextlib.suppress(OSError):
        log = os.fstat(2)
        if stat.S_ISREG(log.st_mode) and log.st_size > LOG_BYTES:
            os.ftruncate(2, 0)


def _report(line: str) -> None:
    """Write a line to the producer, unless the producer has ended."""
    with contextlib.suppress(OSError):
        os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
