"""The executor of the Celery pools ``prefork``, ``threads``, ``gevent`` and ``solo``.

It sends batches of chunks and receives results (``messages.py``), and once a second checks for
batches that are lost, slow or hung (``recovery.py``).
"""

import logging
import os
from contextlib import ExitStack

import redis

from poolrace.producer.broker.checkpoint_store import CheckpointWriter
from poolrace.producer.broker.client import (
    KOMBU_ERRORS,
    NO_RETRY,
    TimedRetry,
    connect,
    translate_errors,
)
from poolrace.producer.broker.queues import PoolQueue, revoke
from poolrace.producer.broker.workers import WorkerWatch, usage_of_workers
from poolrace.producer.executors.celery.base_messages import TaskResult
from poolrace.producer.executors.celery.batch_executor import BatchExecutor
from poolrace.producer.executors.celery.messages import Messages
from poolrace.producer.executors.celery.recovery import Recovery
from poolrace.producer.jobs.checkpoint import Checkpoint
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import Ledger
from poolrace.producer.jobs.schedules import ScheduleChoice
from poolrace.producer.settings import Settings
from poolrace.workers.errors import ClusterError, UsageError
from poolrace.workers.usage import Usage, Usages, usage_of

logger = logging.getLogger(__name__)


class CeleryPool(BatchExecutor):
    """The executor of one Celery pool: all of its workers, on any number of hosts.

    ``slots`` limits the batches in flight; ``None`` uses every slot of the pool. ``schedule`` is
    stored with the job, for ``producer resume``.
    """

    def __init__(
        self, job: Job, pool: str, slots: int | None, schedule: ScheduleChoice, settings: Settings
    ) -> None:
        if not settings.broker_url:
            raise ClusterError("no broker is given; start a cluster with: producer up")
        super().__init__(job, slots)
        self.model = f"celery:{pool}"
        self._pool = pool
        self._broker_url = settings.broker_url
        self._results_url = settings.result_backend or settings.broker_url
        self._settings = settings
        self._patience = TimedRetry(settings.patience_s)
        self._first_checkpoint = Checkpoint(job, pool, slots, schedule)
        self._exit_stack = ExitStack()

    def start(self) -> None:
        """Find the workers, claim the job, and subscribe to results before any chunk is sent."""
        self._broker = self._connect(self._broker_url)
        self._results = self._connect(self._results_url)
        with translate_errors(self._broker_url):
            self._workers = WorkerWatch.start(self._broker, self._pool, self._patience.seconds)
            self._require_slots()
            self._checkpoints = self._exit_stack.enter_context(
                CheckpointWriter(
                    self._broker, self._first_checkpoint, resumable=self._settings.lasting
                )
            )
            self._notes += self._workers.other_versions()
        for note in self._notes:
            logger.warning("worker %s", note.what)
        self._count_slots()
        self._messages = self._exit_stack.enter_context(
            Messages(self.job, self._pool, self._settings, self._results, self._patience)
        )
        self._in_flight = self._messages.in_flight
        self._recovery = Recovery(
            queue=PoolQueue(self._broker, self._pool),
            workers=self._workers,
            messages=self._messages,
            time_limit_s=self.job.time_limit_s,
            counts=self.counts,
            events=self._events,
            notes=self._notes,
            redis_emptied_at=lambda: self._checkpoints.redis_emptied_at,
        )

    def close(self) -> None:
        """Unsubscribe, write the last checkpoint and release the job."""
        self._exit_stack.close()

    def usage(self, *, reset_peak: bool = False) -> Usages:
        """Resource usage of this process and of the workers with children; CPU time of Redis."""
        with translate_errors(self._broker_url):
            workers = usage_of_workers(self._broker, self._pool, reset_peak=reset_peak)
            info = self._broker.info()
        redis_s = float(info["used_cpu_user"]) + float(info["used_cpu_sys"])
        return {
            "producer": usage_of([os.getpid()], reset_peak=reset_peak),
            **workers,
            f"redis {info['run_id']}": Usage(cpu_s=redis_s),
        }

    def checkpoint(self, ledger: Ledger) -> None:
        """Store the progress of the job; raises ``JobCancelled`` if it was cancelled."""
        self._events += self._notes
        self._notes.clear()
        with translate_errors(self._broker_url):
            self._checkpoints.update(ledger)
            if ledger.complete and (self.counts or self._messages.unconfirmed):
                revoke(self._broker, self._pool, self.job.key)  # copies of finished chunks

    def cancel(self, error: BaseException) -> None:
        """Remove queued messages, and mark the job so that running chunks stop."""
        self._checkpoints.set_error(error)
        for client in (self._broker, self._results):
            client.set_retry(NO_RETRY)  # the run has ended: do not delay the error
        try:
            revoke(self._broker, self._pool, self.job.key)
        except (redis.RedisError, *KOMBU_ERRORS) as trouble:
            logger.warning("chunks in flight were not revoked: %s", trouble)

    def _connect(self, url: str) -> redis.Redis:
        client: redis.Redis = self._exit_stack.enter_context(connect(url, self._settings.ca_file))
        client.set_retry(self._patience)
        return client

    def _require_slots(self) -> None:
        present = self._workers.slots
        if self._limit and self._limit > present:
            raise UsageError(
                f"--slots {self._limit} is more than the {present} slots of pool {self._pool};"
                f" give at most {present}, or start more workers"
            )

    def _check(self) -> list[TaskResult]:
        """Check workers and batches in flight; returns results that were not delivered."""
        with translate_errors(self._broker_url):
            return super()._check()

    def _back_up(self) -> None:
        """Send backups of slow batches to idle slots."""
        with translate_errors(self._broker_url):
            super()._back_up()
