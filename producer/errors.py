"""Errors that end a job or a race; the base classes are in ``workers/errors.py``.

PoolraceError        exit code 1
└── JobFailed        1   the job did not complete
    ├── JobCancelled 1   another command cancelled the job
    ├── AllFailed    1   every item of a race raised an error
    └── ChunkFailed  1   the code of one chunk raised an error, or its process died, too often
"""

from poolrace.workers.errors import PoolraceError

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, the shell's convention."""


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
