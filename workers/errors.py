"""Errors of chunks and workers; ``producer/errors.py`` adds the errors of jobs and races.

    PoolraceError        exit code 1
    ├── UsageError       2   wrong usage or bad input
    ├── ClusterError     3   cluster not reachable, or no worker for that pool
    ├── ResultTooLarge   1   the value of a chunk is larger than a Redis value may be
    └── ChunkTimeout     1   a chunk ran for longer than its time limit

A message has one or two lines: the problem, the value, the way out.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class PoolraceError(Exception):
    """Base class of all errors that end a command with a message instead of a traceback."""

    exit_code = 1


class UsageError(PoolraceError):
    """A value, a combination of options or a file that the user gave cannot be used."""

    exit_code = 2


class ClusterError(PoolraceError):
    """The cluster does not answer, refuses the connection, or has no worker for the pool."""

    exit_code = 3


class ResultTooLarge(PoolraceError):
    """The value of a chunk is larger than a Redis value may be."""


class ChunkTimeout(PoolraceError):
    """A chunk ran for longer than its time limit."""


def unknown(kind: str, name: object, known: Iterable[str]) -> UsageError:
    """Return the error for an unknown name of that kind, with its way out."""
    return UsageError(f"{kind} {name!r} is unknown; {suggestion(name, known)}")


def suggestion(name: object, known: Iterable[str]) -> str:
    """Return the way out of an unknown name: the most similar known name, or all names."""
    names = list(known)
    similar = get_close_matches(str(name), names, n=1)
    return f"did you mean {similar[0]}?" if similar else f"choose {', '.join(names)}"
