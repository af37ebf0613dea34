"""A recovery whose clock, queue, workers and messages the test controls."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, cast

from poolrace.producer.executors.celery.base_messages import TaskResult
from poolrace.producer.executors.celery.in_flight import Batch, InFlight, InFlightBatch
from poolrace.producer.executors.celery.recovery import CHECK_S, Recovery
from poolrace.producer.results.run import UntimedEvent
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.runtime.presence import Announcement, Presence

PATIENCE_S = 60.0
WORKER = Presence("solo@here", "solo", 1, 1, "2026-01-01", HostFacts.collect("here"))


class Clock:
    """A monotonic clock that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Workers:
    """Workers of a pool; ``holding`` maps task ids to the age of the holder's announcement."""

    pool = "solo"
    patience_s = PATIENCE_S
    responding = True

    def __init__(self) -> None:
        self.holding: dict[str, float] = {}

    @property
    def busy(self) -> bool:
        return bool(self.holding)

    def announced_names(self) -> set[str]:
        return {WORKER.name}

    def update(self) -> list[UntimedEvent]:
        return []

    def holder(self, task_id: str) -> Announcement | None:
        if task_id not in self.holding:
            return None
        return Announcement(WORKER, frozenset(self.holding), self.holding[task_id])


class Messages:
    """Records what is sent, and returns the results that are ``stored``."""

    def __init__(self, clock: Clock) -> None:
        self.in_flight = InFlight()
        self.stored: list[TaskResult] = []
        self.sent: list[Batch] = []
        self.strays: set[str] = set()
        self.dismissed: set[str] = set()
        self.subscriptions = self.questions = 0
        self.clock = clock

    def send(self, batch: Batch) -> InFlightBatch:
        self.sent.append(batch)
        return self.in_flight.mark_sent(str(batch[0]), batch, self.clock.now)

    def send_in_parts(self, batch: InFlightBatch) -> None:
        self.in_flight.drop([batch.task_id])
        for chunk in batch.chunks:
            single = self.send((chunk,))
            single.attempts, single.losses = batch.attempts, batch.losses
            single.rejections, single.mark = batch.rejections, batch.mark

    def consumers(self) -> set[str]:
        self.questions += 1
        return {WORKER.name} | self.strays

    def dismiss(self, names: Iterable[str]) -> None:
        self.dismissed = set(names)

    def send_backups(self, batches: Iterable[InFlightBatch]) -> None:
        self.sent += [batch.chunks for batch in batches]

    def read_stored(self, batches: Iterable[InFlightBatch]) -> list[TaskResult]:
        task_ids = {batch.task_id for batch in batches}
        return [result for result in self.stored if result.task_id in task_ids]

    def subscribe(self) -> None:
        self.subscriptions += 1

    def delete_result(self, batch: InFlightBatch) -> None:
        pass


class Checkpoints:
    """Checkpoints that Redis never lost, unless the test sets a time."""

    redis_emptied_at = -1.0


class RecoverySetup:
    """A recovery whose clock, queue, workers and messages the test controls."""

    def __init__(self, time_limit_s: float | None = None) -> None:
        self.clock = Clock()
        self.queued: set[str] = set()
        self.workers = Workers()
        self.messages = Messages(self.clock)
        self.checkpoints = Checkpoints()
        self.recovery = Recovery(
            queue=cast("Any", self),
            workers=cast("Any", self.workers),
            messages=cast("Any", self.messages),
            time_limit_s=time_limit_s,
            counts=Counter(),
            events=[],
            notes=[],
            redis_emptied_at=lambda: self.checkpoints.redis_emptied_at,
        )

    def task_ids(self) -> set[str]:
        """The task ids in the queue, whose place this object takes."""
        return self.queued

    def renew(self) -> None:
        """Do nothing: this queue does not expire."""

    def check_every_second(self, until: float) -> list[TaskResult]:
        results = []
        while self.clock.now < until:
            self.clock.now += CHECK_S
            results += self.recovery.check()
        return results
