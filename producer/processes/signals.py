"""Ends the program after Ctrl-C, SIGTERM or SIGHUP, and all that it started."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

EXIT_S = 20.0
"""Seconds that the program has to stop what it started after a signal; it takes 1 to 4 s, and up
to 10 s on a busy machine. Then the program ends at once, and the guards stop what it started."""


def handle_signals() -> None:
    """End the program by an exception, so that each context manager stops what it started.

    An exception can get lost, in a destructor for example, and a context manager can hang; so a
    timer, which needs neither threads nor locks, ends the program after ``EXIT_S``.
    """
    # A shell starts a background command with SIGINT ignored; handle SIGINT there, too.
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _raise_exit)


@contextmanager
def block_interrupt() -> Iterator[None]:
    """Block Ctrl-C in the processes that are started in this context, and here until its end.

    A terminal sends it to every process of the command; the parent ends its children itself.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _raise_exit(signum: int, _frame: FrameType | None) -> NoReturn:
    """Raise ``KeyboardInterrupt`` after Ctrl-C, else ``SystemExit``."""
    code = 128 + signum

    def end_at_once(_signum: int, _frame: FrameType | None) -> NoReturn:
        os._exit(code)

    signal.signal(signal.SIGALRM, end_at_once)
    signal.setitimer(signal.ITIMER_REAL, EXIT_S)
    if signum == signal.SIGINT:
        raise KeyboardInterrupt
    signal.signal(signum, signal.SIG_IGN)
    sys.exit(code)
