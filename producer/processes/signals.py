"""Ends the program after Ctrl-C, SIGTERM or SIGHUP, and all that it started."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from poolrace.producer.errors import SIGNALLED, signal_of

EXIT_S = 20.0
"""Seconds that the program has to stop what it started after a signal; it takes 1 to 4 s, and up
to 10 s on a busy machine. Then the program ends at once, and the guards stop what it started."""

AGAIN_S = 0.001
"""Seconds after which the exception of a signal is raised that could not be raised at once."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end the program."""

_held: list[int] | None = None
"""Signals that arrived while they are held; ``None`` while they are not."""


def handle_signals() -> None:
    """End the program by an exception, so that each context manager stops what it started.

    An exception that gets lost in a destructor, as Python ignores it there, is raised once more.
    A context manager can hang; so a timer, which needs neither threads nor locks, ends the program
    after ``EXIT_S``.
    """
    # A shell starts a background command with SIGINT ignored; handle SIGINT there, too.
    for signum in SIGNALS:
        signal.signal(signum, _handle)
    sys.unraisablehook = _raise_again


@contextmanager
def hold_signals() -> Iterator[None]:
    """Handle the signals that arrive in this context at its end, soon after it if it raises.

    It is for short computations that may not end halfway, and cannot be nested.
    """
    global _held  # noqa: PLW0603 # a signal handler has no other place
    _held = []
    try:
        yield
    except BaseException:
        for signum in _release():
            _raise_soon(signum)
        raise
    for signum in _release():
        _raise_exit(signum)


def _release() -> list[int]:
    """Hold signals no longer; return those that arrived."""
    global _held
    held, _held = _held or [], None
    return held


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


def _handle(signum: int, _frame: FrameType | None) -> None:
    if _held is None:
        _raise_exit(signum)
    _held.append(signum)


def _raise_exit(signum: int) -> NoReturn:
    """Raise ``KeyboardInterrupt`` after Ctrl-C, else ``SystemExit``."""
    code = SIGNALLED + signum

    def end_at_once(_signum: int, _frame: FrameType | None) -> NoReturn:
        os._exit(code)

    signal.signal(signal.SIGALRM, end_at_once)
    signal.setitimer(signal.ITIMER_REAL, EXIT_S)
    if signum == signal.SIGINT:
        raise KeyboardInterrupt
    signal.signal(signum, signal.SIG_IGN)
    sys.exit(code)


def _raise_again(lost: "sys.UnraisableHookArgs") -> None:
    """Raise the exception of a signal once more if Python ignored it; print any other."""
    signum = lost.exc_value and signal_of(lost.exc_value)
    if signum:
        _raise_soon(signum)
    else:
        sys.__unraisablehook__(lost)


def _raise_soon(signum: int) -> None:
    """Raise the exception of a signal after ``AGAIN_S``, where an exception is not in the way."""
    signal.signal(signal.SIGALRM, lambda *_: _raise_exit(signum))
    signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
