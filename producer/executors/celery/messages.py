"""Sends batches of chunks as Celery messages, and receives their results as Redis pushes them.

Celery's ``group(...).get()`` polls for results every 0.5 s and keeps all of them. Here all task
ids of a job share a prefix, so that one pattern subscription delivers its results as they are
stored. A result is deleted once it is read; a result that was not delivered can be read by key.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from functools import partial
from itertools import islice
from types import TracebackType
from typing import Any, Self, cast

import redis

from poolrace.producer.broker.client import TimedRetry, translate_errors
from poolrace.producer.executors.celery.base_messages import BaseMessages, Failure, TaskResult
from poolrace.producer.executors.celery.in_flight import Batch, InFlightBatch, describe
from poolrace.producer.executors.celery.stored_results import decode_result
from poolrace.producer.jobs.job import Job
from poolrace.producer.settings import Settings
from poolrace.workers.app import TASK, make_app
from poolrace.workers.chunks import to_cut_ranges
from poolrace.workers.protocol import queue_of

CONFIRM_S = 5.0
"""Seconds to wait for Redis to confirm the subscription."""

PIPELINE_MESSAGES = 64
"""Messages per pipeline to Redis; workers start on one pipeline while the next is built."""

RECEIVE_RESULTS = 1000
"""Results that one call of ``receive`` returns, at most; the producer sends chunks in between."""

DELETE_RESULTS = 64
"""Results that are deleted from Redis together, in one command."""

INSPECT_S = 1.0
"""Seconds to wait for the answers of all Celery workers to a question."""

HARD_LIMIT_S = 5.0
"""Seconds beyond a chunk's time limit after which Celery kills its prefork process, if the chunk
has not stopped at a cancellation point before."""

logger = logging.getLogger(__name__)


class Messages(BaseMessages):
    """Sends the messages of one job to one pool, and receives their results.

    A context manager: entering subscribes to the results. ``results`` is a client for the result
    backend, ``patience`` the retry policy for sending. Raises ``ClusterError``.
    """

    def __init__(
        self,
        job: Job,
        pool: str,
        settings: Settings,
        results: redis.Redis,
        patience: TimedRetry,
    ) -> None:
        super().__init__(job, time.monotonic)
        self._pool = pool
        self._app = make_app(settings)
        self._broker_url = str(settings.broker_url)
        self._results_url = settings.result_backend or self._broker_url
        self._results = results
        self._patience = patience
        self._read: list[str] = []
        self._subscription = results.pubsub()

    def __enter__(self) -> Self:
        self.subscribe()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._subscription.close()
            self._delete_read()
        except redis.RedisError as trouble:
            logger.warning("results were not deleted and will expire: %s", trouble)
        finally:
            self._app.close()

    def subscribe(self) -> None:
        """Subscribe to the results of the job, on a new connection."""
        with translate_errors(self._results_url):
            self._subscription.close()
            self._subscription.psubscribe(self._key(self._task_id("*")))
            self._subscription.get_message(timeout=CONFIRM_S)

    def receive(self, timeout_s: float) -> list[TaskResult]:
        """The results that Redis pushed: at least one, or none after ``timeout_s`` seconds."""
        results: list[TaskResult] = []
        with translate_errors(self._results_url):
            for _ in range(RECEIVE_RESULTS):
                message = self._subscription.get_message(timeout=timeout_s)
                if message is None:
                    break
                if message["type"] == "psubscribe":
                    self.reconnects += 1
                elif message["type"] == "pmessage":
                    results += self._decode(message["data"])
                timeout_s = 0.0  # further results only if they have arrived already
            if len(self._read) >= DELETE_RESULTS:
                self._delete_read()
        return results

    def read_stored(self, batches: Iterable[InFlightBatch]) -> list[TaskResult]:
        """The results of these batches that are stored in Redis, delivered by push or not."""
        keys = [self._key(batch.task_id) for batch in batches]
        with translate_errors(self._results_url):
            stored = cast("list[bytes | None]", self._results.mget(keys)) if keys else []
        return [result for payload in stored if payload for result in self._decode(payload)]

    def delete_result(self, batch: InFlightBatch) -> None:
        """Delete the stored result of a batch that is sent again."""
        with translate_errors(self._results_url):
            self._results.delete(self._key(batch.task_id))

    def consumers(self) -> set[str]:
        """Names of all Celery workers that consume the queue, poolrace's and others.

        A worker that does not answer within ``INSPECT_S`` is left out.
        """
        with translate_errors(self._broker_url):
            queues = self._app.control.inspect(timeout=INSPECT_S).active_queues() or {}
        queue = queue_of(self._pool)
        return {name for name, its in queues.items() if queue in {each["name"] for each in its}}

    def dismiss(self, names: Iterable[str]) -> None:
        """Tell these Celery workers to stop consuming the queue."""
        with translate_errors(self._broker_url):
            self._app.control.cancel_consumer(queue_of(self._pool), destination=[*names])

    def _send(self, batches: Mapping[str, Batch]) -> None:
        """Put batches into the queue, by task id; retry until the patience is used up."""
        remaining = iter(batches.items())
        with translate_errors(self._broker_url):
            while pipeline := dict(islice(remaining, PIPELINE_MESSAGES)):
                send = partial(self._send_once, pipeline)
                self._patience.call_with_retry(send, self._count_unconfirmed)

    def _count_unconfirmed(self, _: Exception) -> None:
        self.unconfirmed += 1

    def _send_once(self, batches: Mapping[str, Batch]) -> None:
        amqp, queue = self._app.amqp, queue_of(self._pool)
        with self._app.producer_pool.acquire(block=True) as producer, producer.batch():
            for task_id, batch in batches.items():
                # Celery's send_task would subscribe to each task's result separately. kombu's
                # own retries reconnect within the pipeline, which then goes on with a closed
                # channel (AttributeError, seen with kombu 5.7).
                message = self._message(task_id, batch)
                amqp.send_task_message(producer, TASK, message, queue=queue, retry=False)

    def _message(self, task_id: str, batch: Batch) -> Any:
        job, workload = self._job, self._job.workload
        # The empty chunks of the warm-up have no limit: a cold worker takes long for the first one.
        limit_s = job.time_limit_s if any(map(len, batch)) else None
        ranges = to_cut_ranges(batch)
        return self._app.amqp.create_task_message(
            task_id,
            TASK,
            args=(job.key, workload.name, workload.parameters(), ranges, limit_s),
            time_limit=limit_s and limit_s * len(batch) + HARD_LIMIT_S,
            # Flower and the worker's log show these in place of the raw arguments.
            shadow=f"poolrace.{workload.name}",
            argsrepr=describe(batch),
            kwargsrepr=f"job {job.key}",
        )

    def _decode(self, payload: bytes | str) -> list[TaskResult]:
        """The result in a payload that Celery stored; none if the payload is malformed."""
        try:
            result = decode_result(payload, self._sent)
        except (ValueError, TypeError, RecursionError) as error:
            logger.warning("ignored a malformed result: %r", error)
            return []
        if result is None:
            return []
        if not isinstance(result.outcome, Failure):
            self._read.append(result.task_id)
        return [result]

    def _sent(self, task_id: str) -> Batch:
        """The chunks of the batch with this task id; none if it is not in flight."""
        batch = self.in_flight.get(task_id)
        return batch.chunks if batch else ()

    def _delete_read(self) -> None:
        if self._read:
            self._results.unlink(*map(self._key, self._read))
            self._read.clear()

    def _key(self, task_id: str) -> str:
        """Celery's own key for the result of the task."""
        key: bytes = self._app.backend.get_key_for_task(task_id)
        return key.decode()
