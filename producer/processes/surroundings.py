"""The standard streams and the current directory, which the program gets from its caller."""

import os
import sys
from pathlib import Path

from poolrace.workers.errors import UsageError

STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
"""Name and mode of each standard stream, in the order of their file descriptors."""


def open_standard_streams() -> None:
    """Open the null device in place of each standard stream that is closed (``2>&-``).

    Otherwise the next file that is opened would get the descriptor, and messages with it.
    """
    for descriptor, (name, mode) in enumerate(STREAMS):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != descriptor:
                os.dup2(null, descriptor)
                os.close(null)
            setattr(sys, name, os.fdopen(descriptor, mode))


def require_current_directory() -> None:
    """Raise ``UsageError`` if the current directory was deleted or cannot be read."""
    try:
        Path.cwd()
    except OSError as error:
        raise UsageError(
            f"the current directory cannot be used: {error.strerror}; change to another directory"
        ) from error


def describe_os_error(error: OSError) -> str:
    """Text for an error of the operating system that nothing else has translated."""
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else f"cannot write the output: {reason}"
