"""Runs a command that ends with its parent.

``python -m poolrace.producer.processes.die_with_parent COMMAND...``

For the case that the parent is killed in a way that leaves it no time to clean up. Linux
only (prctl(2), PR_SET_PDEATHSIG); elsewhere the command just runs.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def end_with_parent(signum: int = signal.SIGTERM) -> None:
    """Have the kernel send us ``signum`` when our parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signum)


if __name__ == "__main__":
    end_with_parent()
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 # no shell is wanted
