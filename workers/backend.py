"""Celery's result backend for Redis, which does not lose a result for want of room."""

import threading
from dataclasses import dataclass
from typing import Any

from celery.backends import redis

from workers.refusals import may_pass

OVERRIDES = dict.fromkeys(("redis", "rediss"), f"{__name__}:Backend")
"""What takes the place of Celery's own, by the scheme of the address."""


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
        return bool(super().exception_safe_to_retry(exc)) or may_pass(exc)

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
        comes second is harmless: the ledger counts each range once.
        """
        meta = self._get_result_meta(result, state, traceback, request)
        key = self.get_key_for_task(task_id)
        self._set_with_state(key, self.encode({**meta, "task_id": task_id}), state)
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
        """Write all letters; each gets an error of its own."""
        letters = [*self._letters]
        try:
            with self.client.pipeline(transaction=False) as pipe:
                for letter in letters:
                    pipe.set(letter.key, letter.value, ex=letter.expires)
                    pipe.publish(letter.key, letter.value)
                outcomes = pipe.execute(raise_on_error=False)
        except Exception as error:  # noqa: BLE001 # raised by each of those who wait
            outcomes = [error] * (2 * len(letters))
        del self._letters[: len(letters)]
        for letter, outcome in zip(
            letters, zip(outcomes[::2], outcomes[1::2], strict=True), strict=True
        ):
            letter.error = next((it for it in outcome if isinstance(it, Exception)), None)
            letter.written = True


@dataclass(eq=False, slots=True)
class _Letter:
    """A result on its way."""

    key: bytes
    value: str
    expires: int | None
    written: bool = False
    error: Exception | None = None
