"""``prefork threads gevent solo``: chunks as Celery messages, results pushed back by Redis.

Celery's ``group(...).get()`` looks for results in steps of 0.5 s and keeps all of them. Here
all task ids of a job share a prefix, so one pattern subscription delivers its results as they
are stored; what has been read is deleted, and a lost connection is made good by reading the
keys that are still outstanding.
"""

import json
import logging
import os
import time
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, cast

import redis
from celery import Celery, states

from producer.connection import KOMBU_ERRORS, NO_PATIENCE, PATIENCE, connect, translated
from producer.executors.base import Executor
from producer.fleet import FleetWatch, usage_of_workers
from producer.jobs import Job
from workers.app import TASK, UNACKED, make_app
from workers.chunks import Chunk, ChunkResult
from workers.errors import ChunkFailed, ClusterError, PoolraceError, UsageError
from workers.leases import CANCELLED_KEY_S, cancel_key
from workers.settings import Settings
from workers.usage import Usage, Usages, usage_of

QUIET_S = 5.0
"""Seconds without any result after which outstanding keys and workers are looked at."""

LOOK_S = 1.0
"""Seconds between two looks at who is there: two commands of Redis."""

DELETE_AT = 64
"""Results read before they are deleted together."""

logger = logging.getLogger(__name__)


class CeleryPool(Executor):
    """All workers of one pool, on however many hosts.

    ``slots`` limits the chunks in flight; ``None`` takes every slot the pool has.
    """

    def __init__(self, job: Job, pool: str, slots: int | None, settings: Settings) -> None:
        if not settings.broker_url:
            raise ClusterError("no broker is given; start a cluster with: producer up")
        self.job = job
        self.model = f"celery:{pool}"
        self._pool = pool
        self._limit = slots
        self.slots = 1
        self._broker_url = settings.broker_url
        self._results_url = settings.result_backend or settings.broker_url
        self._ca_file = settings.ca_file
        self._app: Celery = make_app(settings)
        self._waiting: deque[Chunk] = deque()
        self._in_flight: dict[str, Chunk] = {}
        self._read: list[str] = []
        self._missing: set[str] = set()
        self._opened = ExitStack()
        self._events: list[str] = []
        self._heard = self._looked = time.monotonic()

    def start(self) -> None:
        """Find the workers, and listen for results before the first chunk is sent."""
        self._opened.callback(self._app.close)
        self._broker = self._opened.enter_context(connect(self._broker_url, self._ca_file))
        self._results = self._opened.enter_context(connect(self._results_url, self._ca_file))
        with translated(self._broker_url):
            self._fleet = FleetWatch(self._broker, self._pool)
        there = self._fleet.slots
        if self._limit and self._limit > there:
            raise UsageError(
                f"--slots {self._limit} is more than the {there} slots of pool {self._pool};"
                f" give at most {there}, or start more workers"
            )
        self._count_slots()
        with translated(self._results_url):
            self._subscription = self._opened.enter_context(self._results.pubsub())
            self._subscription.psubscribe(self._key(self._task_id("*")))
            self._subscription.get_message(timeout=QUIET_S)  # the subscription is confirmed

    def close(self) -> None:
        """Stop listening, and delete the results that were read."""
        try:
            self._delete_read()
        except redis.RedisError as error:
            logger.warning("results not deleted, they expire: %s", error)
        self._opened.close()

    def submit(self, chunks: Sequence[Chunk]) -> None:
        """Send the chunks, as far as the limit on chunks in flight allows."""
        self._waiting.extend(chunks)
        self._send()

    def collect(self, timeout_s: float) -> list[ChunkResult]:
        """All results that were pushed."""
        results: list[ChunkResult] = []
        with translated(self._results_url):
            message = self._subscription.get_message(timeout=timeout_s)
            while message is not None:
                results.extend(self._understand(message))
                message = self._subscription.get_message(timeout=0)
            if len(self._read) >= DELETE_AT:
                self._delete_read()
        self._look_around()
        if results:
            self._heard = time.monotonic()
            self._send()
        elif time.monotonic() - self._heard > QUIET_S:
            self._heard = time.monotonic()
            results = self._read_outstanding()
            self._send_lost_again()
        return results

    def usage(self, *, reset_peak: bool = False) -> Usages:
        """Of this process, the workers of the pool with their children, and Redis' CPU time."""
        with translated(self._broker_url):
            workers = usage_of_workers(self._broker, self._pool, reset_peak=reset_peak)
            info = self._broker.info()
        redis_s = float(info["used_cpu_user"]) + float(info["used_cpu_sys"])
        return {
            "producer": usage_of([os.getpid()], reset_peak=reset_peak),
            **workers,
            f"redis {info['run_id']}": Usage(cpu_s=redis_s),
        }

    def happened(self) -> list[str]:
        """Workers that joined, left or restarted, lost connections, chunks sent again."""
        events, self._events = self._events, []
        return events

    def cancel(self) -> None:
        """Revoke what is queued, and mark the job so that what runs stops at a checkpoint."""
        self._broker.set_retry(NO_PATIENCE)  # whoever gives up does not want to wait
        self._results.set_retry(NO_PATIENCE)
        try:
            self._broker.set(cancel_key(self.job.id), 1, ex=CANCELLED_KEY_S)
            self._app.control.revoke(list(self._in_flight))
        except (redis.RedisError, *KOMBU_ERRORS) as error:
            logger.warning("chunks in flight not revoked: %s", error)

    def _send(self) -> None:
        room = self._limit - len(self._in_flight) if self._limit else len(self._waiting)
        chunks = [self._waiting.popleft() for _ in range(min(room, len(self._waiting)))]
        if not chunks:
            return
        sent = {self._task_id(f"{chunk.start}-{chunk.stop}"): chunk for chunk in chunks}
        with translated(self._broker_url):
            # Sent again after an error, a chunk may be there twice. The ledger counts it once.
            PATIENCE.call_with_retry(lambda: self._publish(sent), lambda _: None)
        self._in_flight.update(sent)

    def _publish(self, chunks: dict[str, Chunk]) -> None:
        amqp = self._app.amqp
        with self._app.producer_pool.acquire(block=True) as producer, producer.batch():
            for task_id, chunk in chunks.items():
                # Celery's send_task would subscribe to each task's result on its own.
                amqp.send_task_message(
                    producer, TASK, self._message(task_id, chunk), queue=self._pool
                )

    def _message(self, task_id: str, chunk: Chunk) -> Any:
        work = self.job.workload
        return self._app.amqp.create_task_message(
            task_id,
            TASK,
            args=(self.job.id, work.name, work.parameters(), chunk.start, chunk.stop),
            # What Flower and the worker's log show in place of the raw arguments.
            shadow=f"poolrace.{work.name}",
            argsrepr=str(chunk),
            kwargsrepr=f"job {self.job.id}",
        )

    def _understand(self, message: dict[str, Any]) -> list[ChunkResult]:
        """The result in a pushed message, if it is one."""
        if message["type"] == "psubscribe":
            # Confirms that the connection is new: what was pushed before it went unheard.
            self._events.append("the connection to Redis was lost and made again")
            return self._read_outstanding()
        return self._decode(message["data"]) if message["type"] == "pmessage" else []

    def _read_outstanding(self) -> list[ChunkResult]:
        """Results of chunks in flight that were stored without our hearing of it."""
        if not self._in_flight:
            return []
        with translated(self._results_url):
            stored = self._results.mget([self._key(task_id) for task_id in self._in_flight])
        return [result for payload in stored if payload for result in self._decode(payload)]

    def _decode(self, payload: bytes | str) -> list[ChunkResult]:
        try:
            meta = json.loads(payload)
            task_id, status, outcome = meta["task_id"], meta["status"], meta["result"]
            result = ChunkResult.from_json(outcome) if status == states.SUCCESS else None
        except (ValueError, KeyError, TypeError) as error:
            logger.warning("a result that is none was ignored: %r", error)
            return []
        chunk = self._in_flight.get(task_id)
        if result is None:
            if status == states.FAILURE and chunk is not None:
                raise self._failed(chunk, meta)
            return []
        if chunk is not None and chunk != result.chunk:
            logger.warning("a result of %s that claims to be of %s was ignored", chunk, task_id)
            return []
        self._in_flight.pop(task_id, None)
        self._read.append(task_id)
        return [result]

    def _failed(self, chunk: Chunk, meta: dict[str, Any]) -> PoolraceError:
        error = meta["result"] if isinstance(meta["result"], dict) else {}
        kind, words = error.get("exc_type", "error"), error.get("exc_message", "")
        text = " ".join(map(str, words)) if isinstance(words, list | tuple) else str(words)
        if kind == UsageError.__name__:
            return UsageError(text)
        return ChunkFailed(f"chunk {chunk} failed in pool {self._pool}: {kind}: {text}")

    def _look_around(self) -> None:
        """Once a second see who is there; raises ``ClusterError`` if nobody is for too long."""
        if time.monotonic() - self._looked < LOOK_S:
            return
        self._looked = time.monotonic()
        with translated(self._broker_url):
            self._events += self._fleet.look()
        self._count_slots()

    def _count_slots(self) -> None:
        self.hosts = self._fleet.hosts
        # While nobody is there, the slots are those that will come back.
        there = self._fleet.slots or self.slots
        self.slots = min(self._limit, there) if self._limit else there

    def _send_lost_again(self) -> None:
        """Send again what is neither queued nor held by a worker, found so twice in a row.

        A message is lost for good when its worker dies between taking it from the queue and
        noting it as unacknowledged (kombu#305).
        """
        with translated(self._broker_url):
            queued = cast("list[bytes]", self._broker.lrange(self._pool, 0, -1))
            held = cast("list[bytes]", self._broker.hvals(UNACKED))
        known = b" ".join((*queued, *held))
        missing = {task_id for task_id in self._in_flight if f'"{task_id}"'.encode() not in known}
        lost = missing & self._missing
        self._missing = missing - lost
        if lost:
            self._events.append(f"{len(lost)} chunk(s) were lost on the way and sent again")
            self._waiting.extendleft(self._in_flight.pop(task_id) for task_id in lost)
            self._send()

    def _delete_read(self) -> None:
        if self._read:
            self._results.unlink(*(self._key(task_id) for task_id in self._read))
            self._read.clear()

    def _task_id(self, rest: str) -> str:
        return f"{self.job.id}.{rest}"

    def _key(self, task_id: str) -> str:
        """Celery's own key for the result of that task."""
        key: bytes = self._app.backend.get_key_for_task(task_id)
        return key.decode()
