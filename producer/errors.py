"""Errors that end a job, a race or a check; the base classes are in ``workers/errors.py``.

PoolraceError        exit code 1
├── CheckFailed      1   a case meets the condition of --fail-if
└── JobFailed        1   the job did not complete
    ├── JobCancelled 1   another command cancelled the job
    ├── AllFailed    1   every item of a race raised an error
    └── ChunkFailed  1   the code of one chunk raised an error, or its process died, too often
"""

import signal

from poolrace.workers.errors import PoolraceError

SIGNALLED = 128
"""Exit code after a signal, less the number of the signal: the shell's convention."""

INTERRUPTED = SIGNALLED + signal.SIGINT
"""Exit code after Ctrl-C."""


class CheckFailed(PoolraceError):
    """A case of a diff meets the condition of ``--fail-if``."""


class JobFailed(PoolraceError):
    """The job ended without a value, or with a wrong value."""


class JobCancelled(JobFailed):
    """Another command cancelled the job."""


class AllFailed(JobFailed):
    """The task of a race raised an error for every item; ``traceback`` is the first item's."""

    def __init__(self, message: str, traceback: str) -> None:
        super().__init__(message)
        self.traceback = traceback


class ChunkFailed(JobFailed):
    """The code of a chunk raised an error, or the process that ran the chunk died."""


def signal_of(error: BaseException) -> int | None:
    """The number of the signal that raised this exception, ``None`` if no signal did."""
    if isinstance(error, KeyboardInterrupt):
        return signal.SIGINT
    if isinstance(error, SystemExit) and isinstance(error.code, int) and error.code > SIGNALLED:
        return error.code - SIGNALLED
    return None


def reason_of(error: BaseException) -> str:
    """Return the reason for the early end of a job in words; signals have words of their own."""
    signum = signal_of(error)
    if signum == signal.SIGINT:
        return "interrupted with Ctrl-C"
    if signum:
        return f"ended by {signal.Signals(signum).name}"
    return str(error) or type(error).__name__
