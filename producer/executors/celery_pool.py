"""``prefork threads gevent solo``: chunks as Celery messages, results pushed back by Redis.

Celery's ``group(...).get()`` looks for results in steps of 0.5 s and keeps all of them. Here
all task ids of a job share a prefix, so one pattern subscription delivers its results as they
are stored; what has been read is deleted, and a lost connection is made good by reading the
keys that are still outstanding. What keeps a job alive is in ``flights.py``.
"""

import json
import logging
import os
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, cast

import redis
from celery import Celery, states

from producer.checkpoints import (
    CANCELLED,
    FAILED,
    FINISHED,
    INTERRUPTED,
    RUNNING,
    Checkpoint,
    JobStore,
    progress_of,
)
from producer.connection import KOMBU_ERRORS, NO_PATIENCE, Patience, connect, translated
from producer.executors.base import Executor
from producer.executors.flights import MAX_ATTEMPTS, MAX_LOSSES, Flight, Flights
from producer.fleet import FleetWatch, usage_of_workers
from producer.jobs import Job
from producer.ledger import Ledger
from producer.queues import queued_ids, take_back
from producer.schedules import ScheduleChoice
from workers.app import ON_HOST, TASK, make_app
from workers.chunks import Chunk, ChunkResult
from workers.errors import (
    ChunkFailed,
    ChunkTimeout,
    ClusterError,
    JobCancelled,
    JobFailed,
    PoolraceError,
    UsageError,
)
from workers.running import cancel_key
from workers.settings import Settings
from workers.usage import Usage, Usages, usage_of

LOOK_S = 1.0
"""Seconds between two looks at who is there, and where the chunks are."""

CONFIRM_S = 5.0
"""Seconds to wait for Redis to confirm the subscription."""

HUNG_S = 10.0
"""Seconds beyond its time limit after which a chunk that does not end by itself is given up."""

DELETE_AT = 64
"""Results read before they are deleted together."""

logger = logging.getLogger(__name__)


class CeleryPool(Executor):
    """All workers of one pool, on however many hosts.

    ``slots`` limits the chunks in flight; ``None`` takes every slot the pool has. ``schedule``
    is kept with the job, for whoever resumes it.
    """

    def __init__(
        self, job: Job, pool: str, slots: int | None, schedule: ScheduleChoice, settings: Settings
    ) -> None:
        if not settings.broker_url:
            raise ClusterError("no broker is given; start a cluster with: producer up")
        self.job = job
        self.model = f"celery:{pool}"
        self.counts: Counter[str] = Counter()
        self._pool = pool
        self._limit = slots
        self.slots = 1
        self._broker_url = settings.broker_url
        self._results_url = settings.result_backend or settings.broker_url
        self._ca_file = settings.ca_file
        self._lasting = settings.lasting
        self._patience = Patience(settings.patience_s)
        self._checkpoint = Checkpoint(job, pool, slots, schedule, RUNNING)
        self._ledger = job.ledger()
        self._saved = 0.0
        self._app: Celery = make_app(settings)
        self._waiting: deque[Chunk] = deque()
        self._flights = Flights()
        self._read: list[str] = []
        self._opened = ExitStack()
        self._events: list[str] = []
        self._looked = time.monotonic()

    def start(self) -> None:
        """Find the workers, and listen for results before the first chunk is sent."""
        self._opened.callback(self._app.close)
        self._broker = self._connected(self._broker_url)
        self._results = self._connected(self._results_url)
        with translated(self._broker_url):
            self._fleet = FleetWatch(self._broker, self._pool, self._patience.seconds)
            there = self._fleet.slots
            if self._limit and self._limit > there:
                raise UsageError(
                    f"--slots {self._limit} is more than the {there} slots of pool {self._pool};"
                    f" give at most {there}, or start more workers"
                )
            store = JobStore(self._broker)
            store.own(self.job.id)
            self._store = store
            self._opened.callback(self._released)
            self._save()
        self._count_slots()
        with translated(self._results_url):
            self._subscription = self._opened.enter_context(self._results.pubsub())
            self._subscription.psubscribe(self._key(self._task_id("*")))
            self._subscription.get_message(timeout=CONFIRM_S)

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
        self._send_waiting()

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
        if time.monotonic() - self._looked > LOOK_S:
            results.extend(self._look_around())
            self._looked = time.monotonic()
        self._send_waiting()
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

    def checkpoint(self, ledger: Ledger) -> None:
        """Keep the job as far as it is done, once a second and when it is complete."""
        self._ledger = ledger
        if ledger.complete:
            self._checkpoint = replace(self._checkpoint, state=FINISHED)
        elif time.monotonic() - self._saved < LOOK_S:
            return
        with translated(self._broker_url):
            self._store.own(self.job.id)
            self._save()
            if not ledger.complete and self._broker.exists(cancel_key(self.job.key)):
                raise JobCancelled(f"job {self.job.id} was cancelled by another command")
            if ledger.complete and len(self._flights):
                take_back(self._broker, self._pool, self.job.key)  # copies of what is counted
        self._saved = time.monotonic()

    def cancel(self, error: BaseException) -> None:
        """Take back what is queued, and mark the job so that what runs stops at a checkpoint."""
        states = {JobCancelled: CANCELLED, JobFailed: FAILED}
        state = next((it for kind, it in states.items() if isinstance(error, kind)), INTERRUPTED)
        self._checkpoint = replace(
            self._checkpoint, state=state, error=str(error) or type(error).__name__
        )
        for client in (self._broker, self._results):
            client.set_retry(NO_PATIENCE)  # whoever gives up does not want to wait
        try:
            take_back(self._broker, self._pool, self.job.key)
        except (redis.RedisError, *KOMBU_ERRORS) as trouble:
            logger.warning("chunks in flight not revoked: %s", trouble)

    def _connected(self, url: str) -> "redis.Redis":
        client: redis.Redis = self._opened.enter_context(connect(url, self._ca_file))
        client.set_retry(self._patience)
        return client

    def _send_waiting(self) -> None:
        room = self._limit - len(self._flights) if self._limit else len(self._waiting)
        chunks = [self._waiting.popleft() for _ in range(min(room, len(self._waiting)))]
        self._send({self._task_id(f"{chunk.start}-{chunk.stop}"): chunk for chunk in chunks})

    def _send(self, chunks: dict[str, Chunk]) -> None:
        """Send chunks, for the first time or again: twice there, a chunk is counted once."""
        if not chunks:
            return
        self._publish(chunks)
        now = time.monotonic()
        for task_id, chunk in chunks.items():
            self._flights.sent(task_id, chunk, now)

    def _publish(self, chunks: dict[str, Chunk]) -> None:
        """Put messages into the queue, as often as it takes within our patience."""
        with translated(self._broker_url):
            self._patience.call_with_retry(lambda: self._publish_once(chunks), lambda _: None)

    def _publish_once(self, chunks: dict[str, Chunk]) -> None:
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
            args=(
                self.job.key,
                work.name,
                work.parameters(),
                chunk.start,
                chunk.stop,
                self.job.time_limit_s,
            ),
            time_limit=self.job.time_limit_s and self.job.time_limit_s + HUNG_S / 2,
            # What Flower and the worker's log show in place of the raw arguments.
            shadow=f"poolrace.{work.name}",
            argsrepr=str(chunk),
            kwargsrepr=f"job {self.job.key}",
        )

    def _understand(self, message: dict[str, Any]) -> list[ChunkResult]:
        """The result in a pushed message, if it is one."""
        if message["type"] == "psubscribe":
            # Confirms that the connection is new: what was pushed before it went unheard.
            self._events.append("the connection to Redis was lost and made again")
            return self._read_unheard(self._flights)
        return self._decode(message["data"]) if message["type"] == "pmessage" else []

    def _read_unheard(self, flights: Iterable[Flight]) -> list[ChunkResult]:
        """Results of these chunks that were stored without our hearing of it."""
        keys = [self._key(flight.task_id) for flight in flights]
        if not keys:
            return []
        with translated(self._results_url):
            stored = cast("list[bytes | None]", self._results.mget(keys))
        return [result for payload in stored if payload for result in self._decode(payload)]

    def _decode(self, payload: bytes | str) -> list[ChunkResult]:
        try:
            meta = json.loads(payload)
            task_id, status, outcome = str(meta["task_id"]), meta["status"], meta["result"]
            result = ChunkResult.from_json(outcome) if status == states.SUCCESS else None
        except (ValueError, KeyError, TypeError) as error:
            logger.warning("a result that is none was ignored: %r", error)
            return []
        flight = self._flights.get(task_id)
        if result is None:
            if status == states.FAILURE and flight is not None:
                self._failed(flight, meta)
            return []
        if flight is not None and flight.chunk != result.chunk:
            logger.warning("a result of %s that claims to be of %s was ignored",
                           flight.chunk, task_id)  # fmt: skip
            return []
        if flight is not None:
            self._flights.landed(task_id, result)
        self._read.append(task_id)
        return [result]

    def _failed(self, flight: Flight, meta: dict[str, Any]) -> None:
        """Try the chunk again; raises ``JobFailed`` if it was tried often enough."""
        error = meta["result"] if isinstance(meta["result"], dict) else {}
        kind, words = error.get("exc_type", "error"), error.get("exc_message", "")
        text = " ".join(map(str, words)) if isinstance(words, list | tuple) else str(words)
        if kind == UsageError.__name__:
            raise UsageError(text)
        flight.attempts += 1
        if flight.attempts >= MAX_ATTEMPTS:
            raise self._given_up(flight, f"{kind}: {text}", str(meta.get("traceback") or ""))
        self.counts["retries"] += 1
        self._events.append(
            f"chunk {flight.chunk} failed with {kind}, attempt {flight.attempts + 1} follows"
        )
        self._results.delete(self._key(flight.task_id))
        self._send({flight.task_id: flight.chunk})

    def _given_up(self, flight: Flight, what: str, traceback: str) -> PoolraceError:
        if traceback:
            logger.error("the last traceback of chunk %s:\n%s", flight.chunk, traceback.rstrip())
        _, _, host = traceback.rstrip().rpartition(f"\n{ON_HOST}")
        where = host or (flight.holder.name if flight.holder else f"pool {self._pool}")
        kind = ChunkTimeout if what.startswith(ChunkTimeout.__name__) else ChunkFailed
        return kind(
            f"chunk {flight.chunk} failed {flight.attempts} time(s), last on {where}: {what}"
        )

    def _look_around(self) -> list[ChunkResult]:
        """See who is there and where the chunks are; send what is nowhere again.

        Raises ``ClusterError`` if no worker is there for too long, ``JobFailed`` for a chunk
        that vanished too often or does not end.
        """
        with translated(self._broker_url):
            self._events += self._fleet.look()
            self._count_slots()
            now = time.monotonic()
            self._flights.unwatched(now - self._looked - 2 * LOOK_S)
            stale = self._flights.stale(now)
            queued = queued_ids(self._broker, self._pool) if stale else set()
        for flight in stale:
            if sign := self._fleet.holder(flight.task_id):
                self._flights.found(flight, sign.presence, now - sign.age_s)
                self._require_moving(flight, now)
            elif flight.task_id in queued:
                self._flights.found(flight, None, now)
        results = self._read_unheard(self._flights.missing(now))
        self._send_again(self._flights.missing(now))
        self._back_up(now)
        return results

    def _send_again(self, missing: Sequence[Flight]) -> None:
        for flight in missing:
            flight.losses += 1
            if flight.losses >= MAX_LOSSES:
                raise ChunkFailed(
                    f"chunk {flight.chunk} vanished {flight.losses} times, each time with the"
                    f" worker of pool {self._pool} that held it: it may be what ends them"
                )
        if missing:
            self.counts["resent"] += len(missing)
            self._events.append(f"{len(missing)} chunk(s) were nowhere to be found, sent again")
            self._send({flight.task_id: flight.chunk for flight in missing})

    def _back_up(self, now: float) -> None:
        """Near the end, have idle slots compute the slowest chunks too; the first result wins.

        The backup tasks of Dean and Ghemawat, MapReduce (OSDI 2004), section 3.6.
        """
        idle = 0 if self._waiting else self.slots - len(self._flights)
        slow = self._flights.slow(now, idle)
        if not slow:
            return
        self._publish({flight.task_id: flight.chunk for flight in slow})
        for flight in slow:
            flight.backed_up = True
        self.counts["backups"] += len(slow)
        self._events.append(f"{len(slow)} slow chunk(s) were given to idle slots too")

    def _require_moving(self, flight: Flight, now: float) -> None:
        limit_s = self.job.time_limit_s
        if limit_s and flight.holder and now - flight.held_since > limit_s + HUNG_S:
            raise ChunkTimeout(
                f"chunk {flight.chunk} hangs on {flight.holder.name}: it runs for more than"
                f" {limit_s:g} s and passes no checkpoint"
            )

    def _count_slots(self) -> None:
        self.hosts = self._fleet.hosts
        # While nobody is there, the slots are those that will come back.
        there = self._fleet.slots or self.slots
        self.slots = min(self._limit, there) if self._limit else there

    def _save(self) -> None:
        self._checkpoint = replace(self._checkpoint, job=progress_of(self.job, self._ledger))
        self._store.save(self._checkpoint)

    def _released(self) -> None:
        """The last word on the job: whoever resumes it begins here."""
        try:
            self._save()
            self._store.release(self.job.id)
        except redis.RedisError as error:
            logger.warning("the job's last state was not kept: %s", error)
        if self._lasting and self._checkpoint.state in (FAILED, INTERRUPTED):
            part = self._checkpoint.done / max(len(self.job), 1)
            logger.info("%.1f %% is done and kept; go on with: producer resume %s",
                        100 * part, self.job.id)  # fmt: skip

    def _delete_read(self) -> None:
        if self._read:
            self._results.unlink(*(self._key(task_id) for task_id in self._read))
            self._read.clear()

    def _task_id(self, rest: str) -> str:
        return f"{self.job.key}.{rest}"

    def _key(self, task_id: str) -> str:
        """Celery's own key for the result of that task."""
        key: bytes = self._app.backend.get_key_for_task(task_id)
        return key.decode()
