"""What is kept of a job in Redis, so that it survives its producer: small, and it expires."""

import json
import logging
import math
import os
import socket
import time
import uuid
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

import redis

from poolrace.producer.errors import JobCancelled, JobFailed
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import Ledger
from poolrace.producer.jobs.schedules import ScheduleChoice
from poolrace.workers.chunks import Chunk, decode_int, encode_int
from poolrace.workers.errors import ChunkTimeout, PoolraceError, UsageError
from poolrace.workers.runtime.cancellation import cancel_key
from poolrace.workers.workloads import make_workload

KEPT_S = 7 * 24 * 3600
"""Seconds that a job is kept after its last checkpoint, to be resumed."""

FINISHED_KEPT_S = 3600
"""Seconds that a job is listed once it is finished, cancelled or failed for good."""

SAVE_S = 1.0
"""Seconds between two checkpoints."""

OWNED_S = 5
"""Seconds after which a producer that gave no sign has lost its job; it gives one a second."""

RUNNING, INTERRUPTED, FAILED = "running", "interrupted", "failed"
FINISHED, CANCELLED = "finished", "cancelled"
ENDED = (FINISHED, CANCELLED)

INDEX_KEY = "poolrace:jobs"

logger = logging.getLogger(__name__)


def job_key(job_id: str) -> str:
    """The key of a job's checkpoint."""
    return f"poolrace:job:{job_id}"


def owner_key(job_id: str) -> str:
    """The key that names the producer which runs the job; it expires unless refreshed."""
    return f"poolrace:owner:{job_id}"


@dataclass(frozen=True)
class Checkpoint:
    """A job as far as it is done."""

    job: Job
    pool: str
    slots: int | None
    schedule: ScheduleChoice
    state: str = RUNNING
    made_at: str = ""
    """When it was written: ISO 8601, UTC."""
    error: str | None = None
    """Why it ended, if it did not finish."""

    @property
    def done(self) -> int:
        """How many indices are counted."""
        return sum(len(interval) for interval in self.job.done)

    def to_json(self) -> dict[str, Any]:
        """The checkpoint as a JSON object."""
        job = self.job
        return {
            "job": job.id,
            "generation": job.generation,
            "workload": job.workload.name,
            "parameters": job.workload.parameters(),
            "start": job.start,
            "stop": job.stop,
            "intervals": [[chunk.start, chunk.stop] for chunk in job.done],
            "value": encode_int(job.value),
            "time_limit_s": job.time_limit_s,
            "pool": self.pool,
            "slots": self.slots,
            "schedule": asdict(self.schedule),
            "state": self.state,
            "made_at": self.made_at,
            "error": self.error,
        }

    @classmethod
    def from_json(cls, data: Any) -> "Checkpoint":
        """Rebuild a checkpoint; raises ``ValueError`` for anything that is not one."""
        try:
            parameters = {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in data["parameters"].items()
            }
            job = Job(
                make_workload(data["workload"], parameters),
                data["start"],
                data["stop"],
                id=data["job"],
                generation=data["generation"],
                done=tuple(Chunk(*interval) for interval in data["intervals"]),
                value=decode_int(data["value"]),
                time_limit_s=data["time_limit_s"],
            )
            fields = {name: data[name] for name in ("pool", "slots", "state", "made_at", "error")}
            return cls(job, schedule=ScheduleChoice(**data["schedule"]), **fields)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a job: {error!r}") from error


@dataclass
class JobStore:
    """The jobs in one Redis. Each store is a producer of its own, as others see it."""

    client: redis.Redis
    name: str = field(default_factory=lambda: f"{os.getpid()}@{socket.gethostname()}")

    def __post_init__(self) -> None:
        self._token = f"{self.name} {uuid.uuid4().hex}"

    def own(self, job_id: str) -> None:
        """Take the job, or keep it; raises ``UsageError`` if another producer has it."""
        key = owner_key(job_id)
        if self.client.set(key, self._token, nx=True, ex=OWNED_S):
            return
        owner = self._owner(job_id)
        if owner not in (None, self._token):
            raise UsageError(
                f"job {job_id} is run by process {str(owner).split()[0]}, or was {OWNED_S} s ago;"
                f" wait for it, or end it with: producer cancel {job_id}"
            )
        self.client.set(key, self._token, ex=OWNED_S)

    def release(self, job_id: str) -> None:
        """Let another producer have the job."""
        if self._owner(job_id) == self._token:
            self.client.delete(owner_key(job_id))

    def save(self, checkpoint: Checkpoint) -> bool:
        """Write the checkpoint in one step; returns whether it took the place of an older one.

        Raises ``JobCancelled`` or ``UsageError`` if the one that is kept must stay: a producer
        that was stopped for long finds its job gone on with, or at its end.
        """
        replaces = self._require_older(checkpoint)
        made_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        kept_s = FINISHED_KEPT_S if checkpoint.state in ENDED else KEPT_S
        job_id = checkpoint.job.id
        with self.client.pipeline(transaction=True) as pipe:
            text = json.dumps(replace(checkpoint, made_at=made_at).to_json())
            pipe.set(job_key(job_id), text, ex=kept_s)
            pipe.sadd(INDEX_KEY, job_id)
            pipe.expire(INDEX_KEY, KEPT_S)
            pipe.execute()
        return replaces

    def load(self, job_id: str) -> Checkpoint:
        """The job of that id; raises ``UsageError`` if there is none."""
        stored = cast("bytes | None", self.client.get(job_key(job_id)))
        if stored is None:
            raise UsageError(f"there is no job {job_id!r}; see: producer jobs")
        try:
            return Checkpoint.from_json(json.loads(stored))
        except ValueError as error:
            raise UsageError(f"job {job_id} cannot be read: {error}") from error

    def all(self) -> list[tuple[Checkpoint, str | None]]:
        """All jobs with the names of the producers that run them, the newest first."""
        ids = sorted(name.decode() for name in cast("set[bytes]", self.client.smembers(INDEX_KEY)))
        if not ids:
            return []
        stored = cast("list[bytes | None]", self.client.mget([job_key(it) for it in ids]))
        if gone := [it for it, text in zip(ids, stored, strict=True) if text is None]:
            self.client.srem(INDEX_KEY, *gone)
        found = []
        for job_id, text in zip(ids, stored, strict=True):
            try:
                found += [Checkpoint.from_json(json.loads(text))] if text else []
            except (ValueError, UsageError) as error:
                logger.warning("job %s is not listed, it cannot be read: %s", job_id, error)
        found.sort(key=lambda it: it.made_at, reverse=True)
        return [(it, self._owner_name(it.job.id)) for it in found]

    def _require_older(self, checkpoint: Checkpoint) -> bool:
        """Whether one is kept, which this one may replace; raises as ``save`` does."""
        job_id = checkpoint.job.id
        try:
            kept = self.load(job_id)
        except UsageError:
            return False  # none, or one that is of no use
        ended = kept.state in ENDED and checkpoint.state not in ENDED
        if ended and kept.state == CANCELLED:
            raise JobCancelled(f"job {job_id} was cancelled by another command")
        if ended or kept.job.generation > checkpoint.job.generation:
            raise UsageError(
                f"job {job_id} was gone on with by another producer, and is {kept.state} there"
            )
        return True

    def _owner(self, job_id: str) -> str | None:
        token = cast("bytes | None", self.client.get(owner_key(job_id)))
        return token.decode() if token else None

    def _owner_name(self, job_id: str) -> str | None:
        owner = self._owner(job_id)
        return owner.split()[0] if owner else None


class CheckpointWriter:
    """Owns a job while it runs, and writes its checkpoints.

    ``lasting`` says whether the job can be resumed after us. Raises what redis-py raises, and
    ``UsageError`` if another producer has the job.
    """

    def __init__(self, client: redis.Redis, checkpoint: Checkpoint, *, lasting: bool) -> None:
        self._client = client
        self._store = JobStore(client)
        self._checkpoint = checkpoint
        self._lasting = lasting
        self._ledger = checkpoint.job.ledger()
        self._store.own(checkpoint.job.id)
        self._save()
        self.emptied = -math.inf
        """When Redis was found without the checkpoint last, by the monotonic clock: it had lost
        what it held, the messages too."""

    def keep(self, ledger: Ledger) -> None:
        """Write a checkpoint, once a second and when the job is complete.

        Raises ``JobCancelled`` if somebody else cancelled the job, and ``UsageError`` if
        another producer has it.
        """
        self._ledger = ledger
        job = self._checkpoint.job
        if ledger.complete:
            self._checkpoint = replace(self._checkpoint, state=FINISHED)
        elif time.monotonic() - self._saved < SAVE_S:
            return
        self._save()
        self._store.own(job.id)
        if not ledger.complete and self._client.exists(cancel_key(job.key)):
            raise JobCancelled(f"job {job.id} was cancelled by another command")

    def failed(self, error: BaseException) -> None:
        """The job ends early, with that error."""
        states = {JobCancelled: CANCELLED, JobFailed: FAILED, ChunkTimeout: FAILED}
        state = next((it for kind, it in states.items() if isinstance(error, kind)), INTERRUPTED)
        error_text = str(error) or type(error).__name__
        self._checkpoint = replace(self._checkpoint, state=state, error=error_text)

    def close(self) -> None:
        """Write how the job ended, and leave it to whoever resumes it."""
        job_id = self._checkpoint.job.id
        try:
            self._save()
            self._store.release(job_id)
        except redis.RedisError as error:
            logger.warning("the job's last state was not kept: %s", error)
        except PoolraceError:
            return  # it is ours no more
        if self._lasting and self._checkpoint.state in (FAILED, INTERRUPTED):
            part = self._checkpoint.done / max(len(self._checkpoint.job), 1)
            logger.info("%.1f %% is done and kept; go on with: producer resume %s",
                        100 * part, job_id)  # fmt: skip

    def _save(self) -> None:
        """The job with what is done of it by now."""
        done, value = tuple(self._ledger.intervals), self._ledger.value
        job = replace(self._checkpoint.job, done=done, value=value)
        self._checkpoint = replace(self._checkpoint, job=job)
        replaces = self._store.save(self._checkpoint)
        self._saved = time.monotonic()
        if not replaces:
            self.emptied = self._saved
