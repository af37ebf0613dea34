"""Runs a command that the kernel ends when the command's parent ends.

``python -m poolrace.producer.processes.die_with_parent COMMAND...``; the Makefile runs the file
itself, also before anything is installed, so it imports only the standard library.

A parent that is killed cannot end its children itself. Linux only (prctl(2), PR_SET_PDEATHSIG);
elsewhere the command runs without this protection.
"""

import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent_command(command: list[str]) -> list[str]:
    """The command line that runs ``command`` until the command's parent ends."""
    return [sys.executable, "-m", "poolrace.producer.processes.die_with_parent", *command]


def end_with_parent(signum: int = signal.SIGTERM) -> None:
    """Have the kernel send this process ``signum`` when its parent ends."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 # slow: after Ctrl-C has its default action, see below

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signum)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback before the command runs
    end_with_parent()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 # no shell is wanted
