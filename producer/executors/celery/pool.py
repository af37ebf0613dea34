"""``prefork threads gevent solo``: the workers of one Celery pool, on however many hosts.

Sends batches of chunks and takes results (``mail.py``), and once a second compares what should
be under way with what is (``flights.py``): the one mechanism that keeps a job alive.
"""

import logging
import os
import time
from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack

import redis

from poolrace.producer.broker.checkpoints import Checkpoint, CheckpointWriter
from poolrace.producer.broker.client import KOMBU_ERRORS, NO_RETRY, TimedRetry, connect, translated
from poolrace.producer.broker.queues import queued_task_ids, revoke
from poolrace.producer.broker.workers import WorkerWatch, usage_of_workers
from poolrace.producer.errors import ChunkFailed
from poolrace.producer.executors.base import Executor
from poolrace.producer.executors.celery.in_flight import (
    MAX_ATTEMPTS,
    MAX_LOSSES,
    Batch,
    InFlight,
    InFlightBatch,
)
from poolrace.producer.executors.celery.messages import Answer, Failure, Messages
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import Ledger
from poolrace.producer.jobs.schedules import ScheduleChoice
from poolrace.producer.settings import Settings
from poolrace.workers.app import make_app
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.errors import ChunkTimeout, ClusterError, PoolraceError, UsageError
from poolrace.workers.usage import Usage, Usages, usage_of

LOOK_S = 1.0
"""Seconds between two looks at who is there, and where the chunks are."""

HUNG_S = 10.0
"""Seconds beyond its time limit after which a chunk that does not end by itself is given up."""

logger = logging.getLogger(__name__)


class CeleryPool(Executor):
    """All workers of one pool.

    ``slots`` limits the batches in flight; ``None`` takes every slot the pool has. ``schedule``
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
        self._settings = settings
        self._patience = TimedRetry(settings.patience_s)
        self._first = Checkpoint(job, pool, slots, schedule)
        self._app = make_app(settings)
        self._waiting: deque[Chunk] = deque()
        self._flights = InFlight()
        self._opened = ExitStack()
        self._events: list[str] = []
        self._looked = self._taken = time.monotonic()

    def start(self) -> None:
        """Find the workers, and listen for results before the first chunk is sent."""
        self._opened.callback(self._app.close)
        self._broker = self._connected(self._broker_url)
        self._results = self._connected(self._results_url)
        with translated(self._broker_url):
            self._fleet = WorkerWatch(self._broker, self._pool, self._patience.seconds)
            there = self._fleet.slots
            if self._limit and self._limit > there:
                raise UsageError(
                    f"--slots {self._limit} is more than the {there} slots of pool {self._pool};"
                    f" give at most {there}, or start more workers"
                )
            self._keeper = CheckpointWriter(
                self._broker, self._first, lasting=self._settings.lasting
            )
            self._opened.callback(self._keeper.close)
        self._count_slots()
        with translated(self._results_url):
            self._mail = Messages(self.job, self._pool, self._app, self._results, self._patience)
            self._opened.callback(self._close_mail)

    def close(self) -> None:
        """Stop listening, and leave the job to whoever resumes it."""
        self._opened.close()

    def submit(self, chunks: Sequence[Chunk]) -> None:
        """Send the chunks, as far as the limit on batches in flight allows."""
        self._waiting.extend(chunks)
        self._send_waiting()

    def collect(self, timeout_s: float) -> list[ChunkResult]:
        """All results that were pushed, and those that were found."""
        connections = self._mail.reconnected
        with translated(self._results_url):
            answers = self._mail.hear(timeout_s)
            if self._mail.reconnected > connections:
                self._events.append("the connection to Redis was lost and made again")
                answers += self._mail.look(flight.task_id for flight in self._flights)
        results = self._take_all(answers)
        if time.monotonic() - self._looked > LOOK_S:
            results += self._take_all(self._look_around())
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
        """Keep the job as far as it is done; raises ``JobCancelled`` if somebody cancelled it."""
        with translated(self._broker_url):
            self._keeper.keep(ledger)
            if ledger.complete and (self.counts or self._mail.uncertain):
                revoke(self._broker, self._pool, self.job.key)  # copies of what is counted

    def cancel(self, error: BaseException) -> None:
        """Take back what is queued, and mark the job so that what runs stops at a checkpoint."""
        self._keeper.failed(error)
        for client in (self._broker, self._results):
            client.set_retry(NO_RETRY)  # whoever gives up does not want to wait
        try:
            revoke(self._broker, self._pool, self.job.key)
        except (redis.RedisError, *KOMBU_ERRORS) as trouble:
            logger.warning("chunks in flight not revoked: %s", trouble)

    def _connected(self, url: str) -> "redis.Redis":
        client: redis.Redis = self._opened.enter_context(connect(url, self._settings.ca_file))
        client.set_retry(self._patience)
        return client

    def _close_mail(self) -> None:
        try:
            self._mail.close()
        except redis.RedisError as error:
            logger.warning("results not deleted, they expire: %s", error)

    def _send_waiting(self) -> None:
        room = self._limit - len(self._flights) if self._limit else len(self._waiting)
        batches: list[Batch] = []
        while self._waiting and len(batches) < room:
            batches.append(self._flights.pack(self._waiting, self.slots))
        self._send({self._mail.task_id(batch): batch for batch in batches})

    def _send(self, batches: Mapping[str, Batch]) -> list[InFlightBatch]:
        """Send batches, for the first time or again: twice there, a chunk is counted once."""
        with translated(self._broker_url):
            self._mail.send(batches)
        now = time.monotonic()
        return [self._flights.sent(task_id, batch, now) for task_id, batch in batches.items()]

    def _send_singly(self, flight: InFlightBatch) -> None:
        """Send the chunks of a batch again, each on its own: so the one at fault shows."""
        self._flights.drop([flight.task_id])
        singles = [(chunk,) for chunk in flight.batch]
        for single in self._send({self._mail.task_id(single): single for single in singles}):
            single.attempts, single.losses = flight.attempts, flight.losses

    def _take_all(self, answers: Sequence[Answer]) -> list[ChunkResult]:
        """The results in the answers, of which one may have been heard and found."""
        if answers:
            self._taken = time.monotonic()
        different = {answer.task_id: answer for answer in answers}
        return [result for answer in different.values() for result in self._take(answer)]

    def _take(self, answer: Answer) -> list[ChunkResult]:
        """The results in an answer; a batch that failed is tried again."""
        flight = self._flights.get(answer.task_id)
        if isinstance(answer.outcome, Failure):
            if flight is not None:
                self._failed(flight, answer.outcome)
            return []
        results = answer.outcome
        if flight is None:  # late: the ledger knows whether they were counted
            self._flights.drop(self._mail.task_id((result.chunk,)) for result in results)
            return results
        if flight.batch != tuple(result.chunk for result in results):
            logger.warning("results that are not of %s, but claim to be of %s, were ignored",
                           flight, answer.task_id)  # fmt: skip
            return []
        self._flights.done(flight, results)
        return results

    def _failed(self, flight: InFlightBatch, failure: Failure) -> None:
        """Try the batch again; raises ``JobFailed`` if it was tried often enough."""
        if failure.kind == UsageError.__name__:
            raise UsageError(failure.text)
        flight.attempts += 1
        if flight.attempts >= MAX_ATTEMPTS:
            raise self._given_up(flight, failure)
        self.counts["retries"] += len(flight.batch)
        self._events.append(
            f"chunk {flight} failed with {failure.kind}, attempt {flight.attempts + 1} follows"
        )
        with translated(self._results_url):
            self._mail.forget(flight.task_id)
        self._send_singly(flight)

    def _given_up(self, flight: InFlightBatch, failure: Failure) -> PoolraceError:
        if failure.traceback:
            logger.error("the last traceback of chunk %s:\n%s", flight, failure.traceback)
        holder = flight.holder.name if flight.holder else f"pool {self._pool}"
        kind = ChunkTimeout if failure.kind == ChunkTimeout.__name__ else ChunkFailed
        return kind(
            f"chunk {flight} failed {flight.attempts} time(s), last on"
            f" {failure.host or holder}: {failure.kind}: {failure.text}"
        )

    def _look_around(self) -> list[Answer]:
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
            queued = queued_task_ids(self._broker, self._pool) if stale else set()
            if stale:
                self._require_takers(queued, now)
        for flight in stale:
            if sign := self._fleet.holder(flight.task_id):
                self._flights.found(flight, sign.presence, now - sign.age_s)
                self._require_moving(flight, now)
            elif flight.task_id in queued:
                self._flights.found(flight, None, now)
        missing = self._flights.missing(now)
        with translated(self._results_url):
            unheard = self._mail.look(flight.task_id for flight in missing)
            if unheard:
                self._events.append(f"{len(unheard)} result(s) went unheard; listening anew")
                self._mail.listen()
                unheard = self._mail.look(flight.task_id for flight in self._flights)
        answered = {answer.task_id for answer in unheard}
        self._send_again([flight for flight in missing if flight.task_id not in answered])
        self._back_up(now)
        return unheard

    def _send_again(self, missing: Sequence[InFlightBatch]) -> None:
        for flight in missing:
            if self._fleet.holder(flight.task_id) or flight.seen < self._keeper.emptied:
                continue  # its worker is slow to sign, on a busy host; or Redis has lost it
            flight.losses += 1
            if flight.losses >= MAX_LOSSES:
                raise ChunkFailed(
                    f"chunk {flight} vanished {flight.losses} times, each time with the"
                    f" worker of pool {self._pool} that held it: it may be what ends them"
                )
        if missing:
            chunks = sum(len(flight.batch) for flight in missing)
            self.counts["resent"] += chunks
            self._events.append(f"{chunks} chunk(s) were nowhere to be found, sent again")
        for flight in missing:
            self._send_singly(flight)

    def _back_up(self, now: float) -> None:
        """Near the end, have idle slots compute the slowest chunks too; the first result wins.

        The backup tasks of Dean and Ghemawat, MapReduce (OSDI 2004), section 3.6.
        """
        idle = 0 if self._waiting else self.slots - len(self._flights)
        slow = self._flights.slow(now, idle)
        if not slow:
            return
        with translated(self._broker_url):
            self._mail.send({flight.task_id: flight.batch for flight in slow})
        for flight in slow:
            flight.backed_up = True
        chunks = sum(len(flight.batch) for flight in slow)
        self.counts["backups"] += chunks
        self._events.append(f"{chunks} slow chunk(s) were given to idle slots too")

    def _require_moving(self, flight: InFlightBatch, now: float) -> None:
        limit_s = (self.job.time_limit_s or 0) * len(flight.batch)
        if limit_s and flight.holder and now - flight.held_since > limit_s + HUNG_S:
            raise ChunkTimeout(
                f"chunk {flight} hangs on {flight.holder.name}: it runs for more than"
                f" {limit_s:g} s and passes no checkpoint"
            )

    def _require_takers(self, queued: Collection[str], now: float) -> None:
        """Raise ``ClusterError`` if workers sign, but take nothing of what is queued."""
        if self._fleet.busy or not queued:
            self._taken = now
        elif now - self._taken > self._patience.seconds:
            raise ClusterError(
                f"the workers of pool {self._pool} are there, but have taken nothing from queue"
                f" {self._pool!r} for {self._patience.seconds:g} s; start them again"
            )

    def _count_slots(self) -> None:
        self.hosts = self._fleet.hosts
        # While nobody is there, the slots are those that will come back.
        there = self._fleet.slots or self.slots
        self.slots = min(self._limit, there) if self._limit else there
