"""Which of Redis' refusals pass by themselves, so that it is worth to wait."""

import redis


def is_transient(error: Exception) -> bool:
    """Whether waiting can help: memory or disk may get room, a lost server may come back.

    A wrong command stays wrong.
    """
    return (
        not isinstance(error, redis.ResponseError)
        or isinstance(error, redis.OutOfMemoryError | redis.ReadOnlyError)
        or "MISCONF" in str(error)  # a full disk; redis-py has no class for it
    )
