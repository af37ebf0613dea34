"""Every error a user can meet, and the exit code that goes with it.

    PoolraceError        1
    ├── UsageError       2   wrong usage or bad input
    ├── ClusterError     3   cluster not reachable, or no worker for that pool
    ├── ResultTooLarge   1   the value of a chunk is more than Redis stores
    └── JobFailed        1   the job ran and did not come to its end
        ├── JobCancelled 1   another command cancelled it
        ├── AllFailed    1   every item of a race raised
        ├── ChunkFailed  1   the code of one chunk raised, or its process died, too often
        └── ChunkTimeout 1   a chunk ran for longer than its time limit

A message is one or two lines: what, the value, the way out.
"""

INTERRUPTED = 130
"""Exit code after Ctrl-C (128 + SIGINT), by the shell's convention."""


class PoolraceError(Exception):
    """The base of all errors that end a command with a message instead of a traceback."""

    exit_code = 1


class UsageError(PoolraceError):
    """What the user gave cannot be done: a value, a combination of options, a file."""

    exit_code = 2


class ClusterError(PoolraceError):
    """No cluster answers, it refuses us, or nobody in it works for the pool asked for."""

    exit_code = 3


class ResultTooLarge(PoolraceError):
    """The value of a chunk is more than Redis stores."""


class JobFailed(PoolraceError):
    """A job ended without its value."""


class JobCancelled(JobFailed):
    """Somebody cancelled the job."""


class AllFailed(JobFailed):
    """The task of a race raised for every item, as the first ``traceback`` tells."""

    def __init__(self, message: str, traceback: str) -> None:
        super().__init__(message)
        self.traceback = traceback


class ChunkFailed(JobFailed):
    """A chunk's code raised, or the process that ran it died."""


class ChunkTimeout(JobFailed):
    """A chunk ran for longer than its time limit."""
