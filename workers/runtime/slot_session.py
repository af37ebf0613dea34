"""Gives a process of the pool ``prefork`` a session of its own, and with it a share of the cores.

Linux first divides the cores equally among sessions, and then the part of a session among its
processes (sched(7), "The autogroup feature"). In one session, all slots of a worker would get as
much as one other program that computes: beside one, two slots got 1.0 of two cores, not 1.33.
"""

import ctypes
import os
import signal
import sys
from contextlib import suppress

from billiard.process import current_process

PR_SET_PDEATHSIG = 1


def take_own_session() -> None:
    """Move this process into a new session, if it is a slot of ``prefork``; Linux only.

    A signal to the worker's process group does not reach it there, so the kernel ends it when its
    worker ends.
    """
    if sys.platform != "linux" or not current_process().daemon:  # solo computes in the worker
        return
    with suppress(PermissionError):  # it leads a process group already
        os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
