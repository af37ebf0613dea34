"""Celery's result backend for Redis: waits while Redis is full, and limits the size of results."""

import threading
from dataclasses import dataclass
from typing import Any

from celery import states
from celery.backends import redis

from poolrace.workers.errors import ResultTooLarge
from poolrace.workers.runtime.redis_errors import is_transient

OVERRIDES = dict.fromkeys(("redis", "rediss"), f"{__name__}:Backend")
"""The backend class that replaces Celery's own, by URL scheme."""

MAX_BYTES = 1_000_000
"""Bytes of the largest result that is stored. Redis is configured to take values up to 1 MiB; it
closes the connection on a larger value, which looks as if Redis were down."""


class Backend(redis.RedisBackend):  # type: ignore[misc] # ships no types
    """Stores a result, and retries while Redis has no room for it.

    Celery's own backend gives up when memory or disk is full. Then the chunk neither succeeds nor
    fails: its worker holds it forever, and its slot is lost (seen with Celery 5.7).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pending: list[_PendingResult] = []
        self._write_lock = threading.Lock()

    def exception_safe_to_retry(self, exc: Exception) -> bool:
        """Whether Celery should retry; called after each failed attempt."""
        return bool(super().exception_safe_to_retry(exc)) or is_transient(exc)

    def _store_result(
        self,
        task_id: str,
        result: Any,
        state: str,
        traceback: str | None = None,
        request: Any = None,
        **_: Any,
    ) -> Any:
        """Store and publish a result; a result that is too large becomes ``ResultTooLarge``.

        Celery's own backend reads the stored result first, so as not to overwrite a success. Here
        a second result is harmless, because the ledger counts each range once.
        """
        meta = self._get_result_meta(result, state, traceback, request)
        text = self.encode({**meta, "task_id": task_id})
        if len(text) > MAX_BYTES:
            error = ResultTooLarge(f"the result has {len(text):_} bytes, at most {MAX_BYTES:_} fit")
            failure = self.prepare_exception(error)
            return self._store_result(task_id, failure, states.FAILURE, None, request)
        self._set_with_state(self.get_key_for_task(task_id), text, state)
        return result

    def _set(self, key: bytes, value: str, expires: int | None = None) -> None:
        """Set and publish a result, together with the results of other threads that wait.

        The first thread to get the lock writes all pending results in one round trip: hundreds of
        greenlets that end together would otherwise open a connection each.
        """
        pending = _PendingResult(key, value, expires or self.expires)
        self._pending.append(pending)
        with self._write_lock:
            if not pending.written:
                self._write()
        if pending.error:
            raise pending.error

    def _write(self) -> None:
        """Store and publish all pending results in one transaction."""
        batch = [*self._pending]
        failure = None
        try:
            with self.client.pipeline(transaction=True) as pipe:
                for pending in batch:
                    pipe.set(pending.key, pending.value, ex=pending.expires)
                    pipe.publish(pending.key, pending.value)
                pipe.execute()
        except Exception as error:  # noqa: BLE001 # raised in each waiting thread
            failure = error
        del self._pending[: len(batch)]
        for pending in batch:
            pending.error, pending.written = failure, True


@dataclass(eq=False, slots=True)
class _PendingResult:
    """A result that waits to be written to Redis."""

    key: bytes
    value: str
    expires: int | None
    written: bool = False
    error: Exception | None = None
