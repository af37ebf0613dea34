"""Finds stray workers: Celery workers that consume the queue of a pool without poolrace's task.

Celery discards a message whose task a worker does not have. A stray worker with a result backend
stores the failure ``NotRegistered``; from one without a backend the producer hears nothing.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass

from celery.exceptions import NotRegistered

from poolrace.producer.broker.workers import WorkerWatch
from poolrace.producer.executors.celery.base_messages import BaseMessages
from poolrace.producer.executors.celery.in_flight import InFlightBatch
from poolrace.producer.results.run import UntimedEvent
from poolrace.workers.app import TASK
from poolrace.workers.errors import ClusterError
from poolrace.workers.protocol import queue_of

NOT_REGISTERED = NotRegistered.__name__
"""Kind of the failure that a stray worker stores."""

FAST_REJECTIONS = 3
"""Rejections of a batch, one after the other, up to which it is sent again at once. Idle workers
take turns at the queue, so that the next message rarely goes to the same one. Then the batch counts
as lost: while all other workers compute, it would go back and forth hundreds of times a second."""

MAX_REJECTIONS = 60
"""Rejections of a batch, about a minute of them, after which the run ends if no worker of poolrace
holds any chunk."""

ASK_S = 10.0
"""Seconds between two questions which workers consume the queue, while batches are rejected."""

logger = logging.getLogger(__name__)


@dataclass
class Strays:
    """The stray workers of a run; they are told to leave the queue.

    ``notes`` belongs to the executor; the names of stray workers are added to them.
    """

    workers: WorkerWatch
    messages: BaseMessages
    notes: list[UntimedEvent]
    clock: Callable[[], float]

    def __post_init__(self) -> None:
        self._names = ""
        self._asked_at = -math.inf

    def find(self) -> bool:
        """Whether stray workers consume the queue, or did so during this run."""
        if self.clock() - self._asked_at > ASK_S:
            found = self.messages.consumers() - self.workers.announced_names()
            self._asked_at = self.clock()
            if found:
                self.messages.dismiss(found)
                self._note(", ".join(sorted(found)))
        return bool(self._names)

    def count_rejection(self, batch: InFlightBatch) -> None:
        """Count that a stray worker took the batch; raises ``ClusterError`` if no other does."""
        batch.rejections += 1
        if batch.rejections >= MAX_REJECTIONS and not self.workers.busy:
            raise ClusterError(
                f"chunk {batch} was taken {batch.rejections} times by {self._names or 'a worker'}"
                f" without the task {TASK}, and by no worker of poolrace; stop that worker"
            )

    def _note(self, names: str) -> None:
        """Add a note about the stray workers, once."""
        if names != self._names:
            note = (
                f"{names} took chunks from queue {queue_of(self.workers.pool)!r} without having the"
                f" task {TASK}; it was told to leave the queue, and others get the chunks"
            )
            logger.warning("%s", note)
            self.notes.append(UntimedEvent(note))
        self._names = names
