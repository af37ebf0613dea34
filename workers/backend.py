"""Celery's result backend for Redis, which does not lose a result for want of room."""

from celery.backends import redis

from workers.refusals import may_pass

OVERRIDES = dict.fromkeys(("redis", "rediss"), f"{__name__}:Backend")
"""What takes the place of Celery's own, by the scheme of the address."""


class Backend(redis.RedisBackend):  # type: ignore[misc] # ships no types
    """Stores a result as soon as Redis takes it.

    Celery's own gives up when memory or disk is full. Then the chunk neither succeeds nor
    fails: its worker holds it for ever, and its slot is lost (seen with Celery 5.7).
    """

    def exception_safe_to_retry(self, exc: Exception) -> bool:
        """Whether to try again, as Celery asks after each failed attempt."""
        return bool(super().exception_safe_to_retry(exc)) or may_pass(exc)
