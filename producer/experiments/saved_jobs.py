"""The jobs that a cluster keeps: list them, go on with one, cancel one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from poolrace.producer.broker.checkpoints import JobStore
from poolrace.producer.broker.client import connect, translate_errors
from poolrace.producer.broker.queues import revoke
from poolrace.producer.cluster.lifecycle import existing
from poolrace.producer.executors.models import Model, make_executor
from poolrace.producer.experiments.compare import ObserverFactory
from poolrace.producer.experiments.measure import measure
from poolrace.producer.jobs.checkpoint import CANCELLED, ENDED, RUNNING, Checkpoint
from poolrace.producer.jobs.job import Job
from poolrace.producer.results.run import Run
from poolrace.producer.settings import Settings
from poolrace.workers.chunks import Chunk
from poolrace.workers.errors import UsageError

LOST = "lost"
"""State of a job that should be running, and whose producer gives no sign."""


@dataclass(frozen=True)
class SavedJob:
    """A job as ``producer jobs`` lists it."""

    job: str
    workload: str
    start: int
    stop: int
    pool: str
    state: str
    """``running``, ``lost``, ``interrupted``, ``failed``, ``finished`` or ``cancelled``."""
    done: float
    """Part of the indices that are counted, from 0 to 1."""
    made_at: str
    """Time of its last checkpoint: ISO 8601, UTC."""
    producer: str | None
    error: str | None

    def to_json(self) -> dict[str, Any]:
        """The job as a JSON object."""
        return asdict(self)


def saved_jobs(settings: Settings) -> list[SavedJob]:
    """All jobs of the cluster, the newest first."""
    with _store(existing(settings)) as store:
        return [_kept(checkpoint, owner) for checkpoint, owner in store.all()]


def _kept(checkpoint: Checkpoint, owner: str | None) -> SavedJob:
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
    """The list in words, for the terminal."""
    if not jobs:
        return "no job is kept\n"
    return "".join(
        f"{job.job}  {job.state:<11}  {job.done:6.1%}  {job.workload} over"
        f" {Chunk(job.start, job.stop)} on {job.pool}, {job.made_at}"
        f"{f': {job.error}' if job.error else ''}\n"
        for job in jobs
    )


@dataclass(frozen=True)
class ResumedJob:
    """A job that can go on."""

    job: Job
    checkpoint: Checkpoint
    settings: Settings

    def run(self, watch: ObserverFactory) -> Run:
        """Compute what is missing."""
        model = Model("celery", self.checkpoint.pool, self.checkpoint.slots)
        schedule = self.checkpoint.schedule
        return measure(
            self.job,
            make_executor(model, self.job, self.settings, schedule),
            schedule.make(len(self.job)),
            expected=self.job.expected(),
            observer=watch(str(model)),
        )


def resume(job_id: str, settings: Settings) -> ResumedJob:
    """Take what is left of a job's former self back, and make it ready to go on.

    Raises ``UsageError`` if there is nothing to go on with, or another producer runs it.
    """
    found = existing(settings)
    with _store(found) as store:
        checkpoint = store.load(job_id)
        if checkpoint.state in ENDED:
            raise UsageError(f"job {job_id} is {checkpoint.state}; there is nothing to go on with")
        store.claim(job_id)
        checkpoint = store.load(job_id)
        revoke(store.client, checkpoint.pool, checkpoint.job.key)
        store.release(job_id)
    job = replace(checkpoint.job, generation=checkpoint.job.generation + 1)
    return ResumedJob(job, checkpoint, found)


def cancel(job_id: str, settings: Settings) -> int:
    """Cancel the job; returns how many of its chunks were queued."""
    with _store(existing(settings)) as store:
        checkpoint = store.load(job_id)
        if checkpoint.state in ENDED:
            raise UsageError(f"job {job_id} is {checkpoint.state} already")
        store.save(replace(checkpoint, state=CANCELLED))
        return revoke(store.client, checkpoint.pool, checkpoint.job.key)


@contextmanager
def _store(settings: Settings) -> Iterator[JobStore]:
    url = str(settings.broker_url)
    with translate_errors(url), connect(url, settings.ca_file) as client:
        yield JobStore(client)
