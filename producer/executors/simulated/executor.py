"""The executor that runs a job on a simulated fleet, in virtual time.

Batches, dispatch, recovery and backups are those of the Celery pools. Only the messages, the
workers and the clock are simulated.
"""

from poolrace.producer.broker.workers import WorkerWatch
from poolrace.producer.executors.celery.batch_executor import BatchExecutor
from poolrace.producer.executors.celery.recovery import Recovery
from poolrace.producer.executors.simulated.cluster import POOL, SimulatedCluster
from poolrace.producer.executors.simulated.fleet import Fleet, IndexTimes
from poolrace.producer.executors.simulated.messages import SimulatedMessages
from poolrace.producer.jobs.job import Job
from poolrace.workers.usage import Usage, Usages

PATIENCE_S = 60.0
"""Virtual seconds without any worker after which a simulated run fails."""


class Simulated(BatchExecutor):
    """Runs chunks on the slots of a fleet; ``times`` tells how long each index takes.

    Deterministic: the same fleet, job and times give the same run.
    """

    def __init__(self, job: Job, fleet: Fleet, times: IndexTimes) -> None:
        super().__init__(job, limit=None)
        self.model = f"celery:{POOL}"
        self._fleet, self._times = fleet, times

    def start(self) -> None:
        """Start the virtual clock, with all hosts present that join at 0 s."""
        self.cluster = SimulatedCluster(self._fleet, self.job.workload, self._times)
        present = [each.presence for each in self.cluster.announcements()]
        self._workers = WorkerWatch(
            self.cluster.announcements, POOL, PATIENCE_S, present, self.cluster.clock
        )
        self._messages = SimulatedMessages(self.job, self.cluster)
        self._in_flight = self._messages.in_flight
        self._recovery = Recovery(
            queue=self,
            workers=self._workers,
            messages=self._messages,
            time_limit_s=self.job.time_limit_s,
            counts=self.counts,
            events=self._events,
            notes=self._notes,
        )
        self._count_slots()

    def close(self) -> None:
        """Do nothing: no simulated chunk runs outside of ``collect``."""

    def usage(self, *, reset_peak: bool = False) -> Usages:  # noqa: ARG002 # it takes no memory
        """CPU time of the simulated producer, Redis and slots."""
        return {
            "producer": Usage(cpu_s=self.cluster.producer_s),
            "redis": Usage(cpu_s=self.cluster.redis_s),
            "slots": Usage(cpu_s=self.cluster.computed_s),
        }

    def task_ids(self) -> set[str]:
        """Task ids of the messages in the simulated queue."""
        return {task_id for task_id, _ in self.cluster.queue}

    def renew(self) -> None:
        """Do nothing: the simulated queue does not expire."""
