"""Celery's result backend for Redis: it loses no result for want of room, and tries none for ever
that Redis will never take."""

import threading
from dataclasses import dataclass
from typing import Any

from celery import states
from celery.backends import redis

from poolrace.workers.errors import ResultTooLarge
from poolrace.workers.runtime.redis_errors import is_transient

OVERRIDES = dict.fromkeys(("redis", "rediss"), f"{__name__}:Backend")
"""What takes the place of Celery's own, by the scheme of the address."""

MAX_BYTES = 1_000_000
"""Of a result. Redis takes values up to 1 MiB by its configuration; at a larger one it closes the
connection, which looks as if it were away."""


class Backend(redis.RedisBackend):  # type: ignore[misc] # ships no types
    """Stores a result as soon as Redis takes it.

    Celery's own gives up when memory or disk is full. Then the chunk neither succeeds nor
    fails: its worker holds it for ever, and its slot is lost (seen with Celery 5.7).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._letters: list[_Letter] = []
        self._writing = threading.Lock()

    def exception_safe_to_retry(self, exc: Exception) -> bool:
        """Whether to try again, as Celery asks after each failed attempt."""
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
        """Store and publish at once.

        Celery's own reads first what is stored, lest a success be overwritten. Here whatever
        comes second is harmless: the ledger counts each range once. What is too large is
        stored as a failure that says so.
        """
        meta = self._get_result_meta(result, state, traceback, request)
        text = self.encode({**meta, "task_id": task_id})
        if len(text) > MAX_BYTES:
            error = ResultTooLarge(f"it has {len(text):_} bytes, {MAX_BYTES:_} are the most")
            failure = self.prepare_exception(error)
            return self._store_result(task_id, failure, states.FAILURE, None, request)
        self._set_with_state(self.get_key_for_task(task_id), text, state)
        return result

    def _set(self, key: bytes, value: str, expires: int | None = None) -> None:
        """Set and publish, in one round trip with what others store at the same moment.

        Whoever comes first writes for all who wait: hundreds of greenlets that end together
        would each open a connection, and pay for a round trip.
        """
        letter = _Letter(key, value, expires or self.expires)
        self._letters.append(letter)
        with self._writing:
            if not letter.written:
                self._write()
        if letter.error:
            raise letter.error

    def _write(self) -> None:
        """Write all letters, or none: what a full Redis does not store is not told either."""
        letters = [*self._letters]
        failed = None
        try:
            with self.client.pipeline(transaction=True) as pipe:
                for letter in letters:
                    pipe.set(letter.key, letter.value, ex=letter.expires)
                    pipe.publish(letter.key, letter.value)
                pipe.execute()
        except Exception as error:  # noqa: BLE001 # raised by each of those who wait
            failed = error
        del self._letters[: len(letters)]
        for letter in letters:
            letter.error, letter.written = failed, True


@dataclass(eq=False, slots=True)
class _Letter:
    """A result on its way."""

    key: bytes
    value: str
    expires: int | None
    written: bool = False
    error: Exception | None = None
