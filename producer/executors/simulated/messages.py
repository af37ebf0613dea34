"""Sends batches to simulated slots and receives their results, in virtual time."""

from collections.abc import Iterable, Mapping
from itertools import islice

from poolrace.producer.executors.celery.base_messages import BaseMessages, TaskResult
from poolrace.producer.executors.celery.in_flight import Batch, InFlightBatch
from poolrace.producer.executors.celery.messages import PIPELINE_MESSAGES, RECEIVE_RESULTS
from poolrace.producer.executors.simulated.cluster import SimulatedCluster
from poolrace.producer.jobs.job import Job


class SimulatedMessages(BaseMessages):
    """The messages of one job in a simulated cluster."""

    def __init__(self, job: Job, cluster: SimulatedCluster) -> None:
        super().__init__(job, cluster.clock)
        self._cluster = cluster

    def subscribe(self) -> None:
        """Do nothing: the simulated results need no connection."""

    def receive(self, timeout_s: float) -> list[TaskResult]:
        """The results that arrived: at least one, or none after ``timeout_s`` virtual seconds."""
        arrived = self._cluster.arrived
        if not arrived:
            self._cluster.wait(timeout_s)
        results = []
        for _ in range(min(len(arrived), RECEIVE_RESULTS)):
            task_id, outcome = arrived.popleft()
            self._cluster.stored.pop(task_id, None)
            results.append(TaskResult(task_id, outcome))
        self._cluster.spend(len(results) * self._cluster.costs.receive_s)
        return results

    def read_stored(self, batches: Iterable[InFlightBatch]) -> list[TaskResult]:
        """The stored results of these batches."""
        stored = self._cluster.stored
        return [
            TaskResult(batch.task_id, stored[batch.task_id])
            for batch in batches
            if batch.task_id in stored
        ]

    def delete_result(self, batch: InFlightBatch) -> None:
        """Delete the stored result of a batch that is sent again."""
        self._cluster.stored.pop(batch.task_id, None)

    def consumers(self) -> set[str]:
        """Names of all workers that announce themselves: there are no others."""
        return {each.presence.name for each in self._cluster.announcements()}

    def dismiss(self, names: Iterable[str]) -> None:
        """Do nothing: there are no other workers."""

    def _send(self, batches: Mapping[str, Batch]) -> None:
        remaining = iter(batches.items())
        while pipeline := list(islice(remaining, PIPELINE_MESSAGES)):
            self._cluster.send(pipeline)
