"""Parcels of chunks go out as Celery messages, their results come in as Redis pushes them.

Celery's ``group(...).get()`` looks for results in steps of 0.5 s and keeps all of them. Here
all task ids of a job share a prefix, so one pattern subscription delivers its results as they
are stored; what has been read is deleted, and what nobody heard of can be read by its key.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from celery import Celery, states

from poolrace.producer.broker.client import TimedRetry
from poolrace.producer.executors.celery.in_flight import Batch, describe
from poolrace.producer.jobs.job import Job
from poolrace.workers.app import ON_HOST, TASK
from poolrace.workers.chunks import ChunkResult

if TYPE_CHECKING:
    import redis

CONFIRM_S = 5.0
"""Seconds to wait for Redis to confirm the subscription."""

BATCH = 64
"""Messages that go to Redis together: workers begin with them while the next are made."""

MAX_HEARD = 1000
"""Messages taken at a time, however many come: there is more to do than to listen."""

DELETE_AT = 64
"""Results read before they are deleted together."""

HARD_LIMIT_S = 5.0
"""Seconds beyond a chunk's time limit after which Celery ends a prefork process that computes
it: by then it should have ended at a checkpoint."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """The code of a chunk of the batch raised."""

    kind: str
    """Name of the exception's type."""
    text: str
    traceback: str

    @property
    def host(self) -> str:
        """Where it was, empty if it did not come to say so."""
        _, _, host = self.traceback.rpartition(f"\n{ON_HOST}")
        return host


@dataclass(frozen=True)
class Answer:
    """What came of a batch that was sent as this task."""

    task_id: str
    outcome: list[ChunkResult] | Failure


class Messages:
    """The messages of one job to one pool, and the answers to them.

    ``results`` is a client for the result backend. Raises what redis-py and kombu raise.
    """

    def __init__(
        self, job: Job, pool: str, app: Celery, results: "redis.Redis", patience: TimedRetry
    ) -> None:
        self._job = job
        self._pool = pool
        self._app = app
        self._results = results
        self._patience = patience
        self._read: list[str] = []
        self._subscription = results.pubsub()
        self.listen()
        self.reconnected = 0
        """How often the connection was new, so that answers may have gone unheard."""
        self.uncertain = 0
        """How often Redis did not confirm what was sent, so that it may be there twice."""

    def listen(self) -> None:
        """Subscribe, on a connection that is new."""
        self._subscription.close()
        self._subscription.psubscribe(self._key(self._task_id("*")))
        self._subscription.get_message(timeout=CONFIRM_S)

    def close(self) -> None:
        """Stop listening, and delete the answers that were read."""
        self._subscription.close()
        self._delete_read()

    def task_id(self, batch: Batch) -> str:
        """The id of the task that computes the batch: always the same."""
        return self._task_id(f"{batch[0].start}-{batch[-1].stop}")

    def send(self, batches: Mapping[str, Batch]) -> None:
        """Put batches into the queue, by task id, as often as it takes within our patience."""
        left = iter(batches.items())
        while batch := dict(islice(left, BATCH)):
            self._patience.call_with_retry(partial(self._send_once, batch), self._not_confirmed)

    def hear(self, timeout_s: float) -> list[Answer]:
        """The answers that were pushed: at least one, or none after so many seconds."""
        answers: list[Answer] = []
        for _ in range(MAX_HEARD):
            message = self._subscription.get_message(timeout=timeout_s)
            if message is None:
                break
            if message["type"] == "psubscribe":
                self.reconnected += 1
            elif message["type"] == "pmessage":
                answers += self._decode(message["data"])
            timeout_s = 0.0  # what else is there already
        if len(self._read) >= DELETE_AT:
            self._delete_read()
        return answers

    def look(self, task_ids: Iterable[str]) -> list[Answer]:
        """The answers that are stored for these tasks, heard or not."""
        keys = [self._key(task_id) for task_id in task_ids]
        stored = cast("list[bytes | None]", self._results.mget(keys)) if keys else []
        return [answer for payload in stored if payload for answer in self._decode(payload)]

    def forget(self, task_id: str) -> None:
        """Delete the answer of a task that is sent again."""
        self._results.delete(self._key(task_id))

    def _task_id(self, rest: str) -> str:
        return f"{self._job.key}.{rest}"

    def _not_confirmed(self, _: Exception) -> None:
        self.uncertain += 1

    def _send_once(self, batches: Mapping[str, Batch]) -> None:
        amqp = self._app.amqp
        with self._app.producer_pool.acquire(block=True) as producer, producer.batch():
            for task_id, batch in batches.items():
                # Celery's send_task would subscribe to each task's result on its own. kombu's
                # own retries connect anew within the batch, which then goes on with a channel
                # that is closed (AttributeError, seen with kombu 5.7).
                message = self._message(task_id, batch)
                amqp.send_task_message(producer, TASK, message, queue=self._pool, retry=False)

    def _message(self, task_id: str, batch: Batch) -> Any:
        job, work = self._job, self._job.workload
        limit_s = job.time_limit_s
        ranges = [[chunk.start, chunk.stop] for chunk in batch]
        return self._app.amqp.create_task_message(
            task_id,
            TASK,
            args=(job.key, work.name, work.parameters(), ranges, limit_s),
            time_limit=limit_s and limit_s * len(batch) + HARD_LIMIT_S,
            # What Flower and the worker's log show in place of the raw arguments.
            shadow=f"poolrace.{work.name}",
            argsrepr=describe(batch),
            kwargsrepr=f"job {job.key}",
        )

    def _decode(self, payload: bytes | str) -> list[Answer]:
        """The answer that Celery stored, none for what is none."""
        try:
            meta = json.loads(payload)
            task_id, status, outcome = str(meta["task_id"]), meta["status"], meta["result"]
            if status == states.FAILURE:
                return [Answer(task_id, _failure(outcome, meta.get("traceback")))]
            if status != states.SUCCESS:
                return []
            answer = Answer(task_id, [ChunkResult.from_json(result) for result in outcome])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            logger.warning("a result that is none was ignored: %r", error)
            return []
        self._read.append(task_id)
        return [answer]

    def _delete_read(self) -> None:
        if self._read:
            self._results.unlink(*map(self._key, self._read))
            self._read.clear()

    def _key(self, task_id: str) -> str:
        """Celery's own key for the result of that task."""
        key: bytes = self._app.backend.get_key_for_task(task_id)
        return key.decode()


def _failure(error: Any, traceback: Any) -> Failure:
    describe = error if isinstance(error, dict) else {}
    words = describe.get("exc_message", "")
    text = " ".join(map(str, words)) if isinstance(words, list | tuple) else str(words)
    return Failure(str(describe.get("exc_type", "error")), text, str(traceback or "").rstrip())
