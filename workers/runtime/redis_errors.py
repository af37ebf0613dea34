"""Tells transient Redis errors (out of memory, read-only, lost connection) from permanent ones."""

import redis


def is_transient(error: Exception) -> bool:
    """Whether a later attempt can succeed: once memory or disk has room, or the server is back.

    An error of the command itself is permanent.
    """
    return (
        not isinstance(error, redis.ResponseError)
        or isinstance(error, redis.OutOfMemoryError | redis.ReadOnlyError)
        or "MISCONF" in str(error)  # a full disk; redis-py has no class for it
    )
