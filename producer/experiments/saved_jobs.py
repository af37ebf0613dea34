"""Saved jobs: lists, resumes and cancels the jobs whose checkpoints are in a cluster's Redis."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from poolrace.producer.broker.checkpoint_store import JobStore
from poolrace.producer.broker.client import connect, translate_errors
from poolrace.producer.broker.queues import revoke
from poolrace.producer.cluster.resolve import resolve
from poolrace.producer.executors.models import Model, make_executor
from poolrace.producer.experiments.compare import ObserverFactory
from poolrace.producer.experiments.measure import measure
from poolrace.producer.jobs.checkpoint import (
    CANCELLED,
    ENDED,
    FAILED,
    INTERRUPTED,
    LOST,
    RUNNING,
    Checkpoint,
)
from poolrace.producer.jobs.job import Job
from poolrace.producer.printable import printable
from poolrace.producer.results.run import Run
from poolrace.producer.settings import Settings
from poolrace.workers.chunks import Chunk
from poolrace.workers.errors import UsageError

RESUMABLE = (LOST, INTERRUPTED, FAILED)
"""States of a job that can be resumed."""

UNFINISHED = (RUNNING, *RESUMABLE)
"""States of a job that can be cancelled."""


@dataclass(frozen=True)
class SavedJob:
    """A saved job, as ``producer jobs`` lists it."""

    job: str
    workload: str
    start: int
    stop: int
    pool: str
    state: str
    """``running``, ``lost``, ``interrupted``, ``failed``, ``finished`` or ``cancelled``."""
    done: float
    """Fraction of the indices that are counted, from 0 to 1."""
    made_at: str
    """Time of the job's last checkpoint: ISO 8601, UTC."""
    producer: str | None
    """Process that runs the job, as ``PID@HOST``."""
    error: str | None
    """Error that ended the job early."""

    def to_json(self) -> dict[str, Any]:
        """Return the job as a JSON object."""
        return asdict(self)


def saved_jobs(settings: Settings) -> list[SavedJob]:
    """Return all jobs of the cluster, the newest first."""
    with _store(resolve(settings).settings) as store:
        return [_saved_job(checkpoint, owner) for checkpoint, owner in store.all()]


def _saved_job(checkpoint: Checkpoint, owner: str | None) -> SavedJob:
    job = checkpoint.job
    lost = checkpoint.state == RUNNING and owner is None
    return SavedJob(
        job=job.id,
        workload=job.workload.name,
        start=job.start,
        stop=job.stop,
        pool=checkpoint.pool,
        state=LOST if lost else checkpoint.state,
        done=checkpoint.done / len(job) if len(job) else 1.0,
        made_at=checkpoint.made_at,
        producer=owner,
        error=checkpoint.error,
    )


def render_jobs(jobs: list[SavedJob]) -> str:
    """Return the saved jobs as text for the terminal, one line per job."""
    if not jobs:
        return "no saved jobs\n"
    return "".join(_line(job) for job in jobs)


def _line(job: SavedJob) -> str:
    error = f": {printable(job.error)}" if job.error else ""
    return (
        f"{job.job}  {job.state:<11}  {job.done:6.1%}  {job.workload} over"
        f" {Chunk(job.start, job.stop)} on {job.pool}, {job.made_at}{error}\n"
    )


@dataclass(frozen=True)
class ResumedJob:
    """A resumed job with its checkpoint; ``run`` computes the rest of the job."""

    job: Job
    checkpoint: Checkpoint
    settings: Settings

    def run(self, make_observer: ObserverFactory) -> Run:
        """Compute the indices that are not counted yet; return the run."""
        model = Model("celery", self.checkpoint.pool, self.checkpoint.slots)
        schedule = self.checkpoint.schedule
        return measure(
            self.job,
            make_executor(model, self.job, self.settings, schedule),
            schedule.make_for(self.job),
            expected=self.job.expected(),
            observer=make_observer(str(model)),
        )


def resume(job_id: str, settings: Settings) -> ResumedJob:
    """Prepare to resume a job: remove its queued messages, and make its next generation.

    Raises ``UsageError`` if the job has ended, or if another producer runs the job.
    """
    cluster_settings = resolve(settings).settings
    with _store(cluster_settings) as store:
        checkpoint = store.load(job_id)
        if checkpoint.state in ENDED:
            raise UsageError(
                f"job {job_id} is {checkpoint.state} and cannot be resumed; see: producer jobs"
            )
        store.claim(job_id)
        checkpoint = store.load(job_id)
        revoke(store.client, checkpoint.pool, checkpoint.job.key)
        store.release(job_id)
    job = replace(checkpoint.job, generation=checkpoint.job.generation + 1)
    return ResumedJob(job, checkpoint, cluster_settings)


def cancel(job_id: str, settings: Settings) -> int:
    """Cancel the job; return the number of its messages that were removed from the queue."""
    with _store(resolve(settings).settings) as store:
        checkpoint = store.load(job_id)
        if checkpoint.state in ENDED:
            raise UsageError(f"job {job_id} is {checkpoint.state} already; see: producer jobs")
        store.save(replace(checkpoint, state=CANCELLED))
        return revoke(store.client, checkpoint.pool, checkpoint.job.key)


@contextmanager
def _store(settings: Settings) -> Iterator[JobStore]:
    url = str(settings.broker_url)
    with translate_errors(url), connect(url, settings.ca_file) as client:
        yield JobStore(client)
