"""Errors that a job or a race can end with; the base classes are in ``workers/errors.py``.

PoolraceError        exit code 1
└── JobFailed        1   the job did not complete
    ├── JobCancelled 1   another command cancelled it
    ├── AllFailed    1   every item of a race raised
    └── ChunkFailed  1   the code of one chunk raised, or its process died, too often
"""

from poolrace.workers.errors import PoolraceError

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, the shell's convention."""


class JobFailed(PoolraceError):
    """A job ended without its value."""


class JobCancelled(JobFailed):
    """Another command cancelled the job."""


class AllFailed(JobFailed):
    """The task of a race raised for every item; ``traceback`` is that of the first one."""

    def __init__(self, message: str, traceback: str) -> None:
        super().__init__(message)
        self.traceback = traceback


class ChunkFailed(JobFailed):
    """The code of a chunk raised, or the process that ran it died."""
