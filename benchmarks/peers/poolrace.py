"""poolrace: a job on a pool of a temporary cluster, as ``producer run`` runs it."""

from contextlib import ExitStack

from benchmarks.peers.base import SLOTS, Peer, Timed
from benchmarks.work import WAIT_S
from poolrace.producer.cluster.lifecycle import temporary
from poolrace.producer.executors.models import Model, make_executor
from poolrace.producer.experiments.dispatch import Observer, ignore_progress
from poolrace.producer.experiments.measure import measure
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import AUTO, ScheduleChoice
from poolrace.producer.results.run import Run
from poolrace.producer.settings import Settings
from poolrace.workers.workloads import Workload, make_workload


class Poolrace(Peer):
    """A poolrace cluster with one prefork worker of two slots."""

    pool = "prefork"
    slots = SLOTS

    def start(self, opened: ExitStack) -> None:
        """Start the cluster with its worker; each job warms the slots that it uses."""
        cluster = opened.enter_context(temporary(Settings(), {self.pool: self.slots}))
        self.settings = Settings(broker_url=cluster.broker_url, lasting=False)

    def workload(self) -> Workload:
        """The sum, with the same loop as the other peers."""
        return make_workload("sum", {})

    def measured(
        self, stop: int, choice: ScheduleChoice, observer: Observer = ignore_progress
    ) -> Run:
        """Measure one run over ``range(stop)``; its time begins with the first chunk."""
        job = Job(self.workload(), 0, stop)
        executor = make_executor(Model("celery", self.pool), job, self.settings)
        schedule = choice.make(len(job))
        return measure(job, executor, schedule, expected=job.expected(), observer=observer)

    def timed(self, stop: int, chunks: int | None) -> Timed:
        """The sum, in ``chunks`` chunks of one size, or under the default schedule."""
        run = self.measured(stop, ScheduleChoice("dynamic", chunks=chunks) if chunks else AUTO)
        return Timed(run.value, run.elapsed_s)


class PoolraceWaiting(Poolrace):
    """A poolrace cluster with one gevent worker of a thousand slots, for work that waits."""

    pool = "gevent"
    slots = 1000

    def workload(self) -> Workload:
        """A workload whose indices wait and compute nothing."""
        return make_workload("mixed", {"wait_s": WAIT_S, "cpu_s": 0.0})
