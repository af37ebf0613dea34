"""Stores checkpoints of jobs in Redis, so that a job survives its producer.

A checkpoint is one small key that expires; it does not grow with the number of chunks.
"""

import json
import logging
import math
import os
import socket
import time
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, cast

import redis

from poolrace.producer.errors import JobCancelled, JobFailed, reason_of
from poolrace.producer.jobs.checkpoint import (
    CANCELLED,
    ENDED,
    FAILED,
    FINISHED,
    INTERRUPTED,
    Checkpoint,
)
from poolrace.producer.jobs.ledger import Ledger
from poolrace.workers.errors import ChunkTimeout, PoolraceError, UsageError
from poolrace.workers.runtime.cancellation import cancel_key

CHECKPOINT_S = 1.0
"""Seconds between two checkpoints of a running job."""

RESUMABLE_S = 7 * 24 * 3600
"""Seconds that Redis keeps an unfinished job after its last checkpoint, to be resumed."""

ENDED_S = 3600
"""Seconds that Redis keeps a finished or cancelled job, for ``producer jobs`` to list."""

OWNER_EXPIRE_S = 5
"""Seconds after which a producer that stopped refreshing its claim loses the job; a running
producer refreshes the claim every second."""

INDEX_KEY = "poolrace:jobs"
"""Redis set of the ids of all stored jobs."""

logger = logging.getLogger(__name__)


def job_key(job_id: str) -> str:
    """The Redis key of a job's checkpoint."""
    return f"poolrace:job:{job_id}"


def owner_key(job_id: str) -> str:
    """The Redis key that names the producer of a running job; it expires unless refreshed."""
    return f"poolrace:owner:{job_id}"


@dataclass
class JobStore:
    """Saves, loads and claims the jobs in one Redis. Each ``JobStore`` counts as one producer."""

    client: redis.Redis
    name: str = field(default_factory=lambda: f"{os.getpid()}@{socket.gethostname()}")
    """``PID@HOST`` of this producer, which other producers see as the owner of its jobs."""

    def __post_init__(self) -> None:
        self._token = f"{self.name} {uuid.uuid4().hex}"

    def claim(self, job_id: str) -> None:
        """Claim the job, or renew the claim; raises ``UsageError`` if another producer owns it."""
        key = owner_key(job_id)
        if self.client.set(key, self._token, nx=True, ex=OWNER_EXPIRE_S):
            return
        owner = self._owner(job_id)
        if owner and owner != self._token:
            raise UsageError(
                f"job {job_id} is run by process {_name_of(owner)}, unless that process"
                f" ended less than {OWNER_EXPIRE_S} s ago; wait for the job, or end it with:"
                f" producer cancel {job_id}"
            )
        self.client.set(key, self._token, ex=OWNER_EXPIRE_S)

    def release(self, job_id: str) -> None:
        """Give up the ownership of the job, so that another producer can claim it."""
        if self._owner(job_id) == self._token:
            self.client.delete(owner_key(job_id))

    def save(self, checkpoint: Checkpoint) -> bool:
        """Write the checkpoint atomically; returns whether it replaced an older one.

        Raises ``JobCancelled`` or ``UsageError`` if the stored checkpoint must stay: a producer
        that was suspended for a while may find its job resumed, finished or cancelled.
        """
        replaces = self._require_replaceable(checkpoint)
        made_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        expire_s = ENDED_S if checkpoint.state in ENDED else RESUMABLE_S
        job_id = checkpoint.job.id
        with self.client.pipeline(transaction=True) as pipe:
            text = json.dumps(replace(checkpoint, made_at=made_at).to_json())
            pipe.set(job_key(job_id), text, ex=expire_s)
            pipe.sadd(INDEX_KEY, job_id)
            pipe.expire(INDEX_KEY, RESUMABLE_S)
            pipe.execute()
        return replaces

    def load(self, job_id: str) -> Checkpoint:
        """The checkpoint of the job; raises ``UsageError`` if there is none."""
        stored = cast("bytes | None", self.client.get(job_key(job_id)))
        if stored is None:
            raise UsageError(f"there is no job {job_id!r}; see: producer jobs")
        try:
            return _read(job_id, stored)
        except ValueError as error:
            raise UsageError(f"job {job_id} cannot be read, so it is lost: {error}") from error

    def all(self) -> list[tuple[Checkpoint, str | None]]:
        """All checkpoints with the names of the producers that run the jobs, newest first."""
        members = cast("set[bytes]", self.client.smembers(INDEX_KEY))
        job_ids = sorted(member.decode(errors="replace") for member in members)
        if not job_ids:
            return []
        keys = [job_key(job_id) for job_id in job_ids]
        stored = cast("list[bytes | None]", self.client.mget(keys))
        texts = dict(zip(job_ids, stored, strict=True))
        if expired := [job_id for job_id, text in texts.items() if text is None]:
            self.client.srem(INDEX_KEY, *expired)
        checkpoints = [
            checkpoint
            for job_id, text in texts.items()
            if text and (checkpoint := _read_or_warn(job_id, text))
        ]
        checkpoints.sort(key=lambda checkpoint: checkpoint.made_at, reverse=True)
        return [(checkpoint, self._owner_name(checkpoint.job.id)) for checkpoint in checkpoints]

    def _require_replaceable(self, checkpoint: Checkpoint) -> bool:
        """Return whether an older checkpoint is stored; raises if it must not be replaced."""
        job_id = checkpoint.job.id
        try:
            stored = self.load(job_id)
        except UsageError:
            return False  # no checkpoint is stored, or it cannot be read
        ended = stored.state in ENDED and checkpoint.state not in ENDED
        if ended and stored.state == CANCELLED:
            raise JobCancelled(f"job {job_id} was cancelled by another command")
        if ended or stored.job.generation > checkpoint.job.generation:
            raise UsageError(
                f"job {job_id} was resumed by another producer, and is {stored.state} there"
            )
        return True

    def _owner(self, job_id: str) -> str | None:
        token = cast("bytes | None", self.client.get(owner_key(job_id)))
        return token.decode(errors="replace") if token else None

    def _owner_name(self, job_id: str) -> str | None:
        return _name_of(self._owner(job_id) or "") or None


def _name_of(token: str) -> str:
    """``PID@HOST`` of the producer with this token."""
    return token.partition(" ")[0]


def _read(job_id: str, text: bytes) -> Checkpoint:
    """Decode the checkpoint of the job; raises ``ValueError`` if it is damaged."""
    try:
        checkpoint = Checkpoint.from_json(json.loads(text))
    except RecursionError as error:
        raise ValueError("not a checkpoint: nested too deeply") from error
    if checkpoint.job.id != job_id:
        raise ValueError(f"not a checkpoint of this job, but of job {checkpoint.job.id}")
    return checkpoint


def _read_or_warn(job_id: str, text: bytes) -> Checkpoint | None:
    try:
        return _read(job_id, text)
    except ValueError as error:
        logger.warning("job %s cannot be read and is not listed: %s", job_id, error)
        return None


class CheckpointWriter:
    """Owns a job while it runs, and writes its checkpoints.

    A context manager: entering claims the job and writes the first checkpoint, leaving writes
    the last one and releases the job. ``resumable`` says whether the cluster outlives the
    command. Raises the errors of redis-py, and ``UsageError`` if another producer owns the job.
    """

    def __init__(self, client: redis.Redis, checkpoint: Checkpoint, *, resumable: bool) -> None:
        self._client = client
        self._store = JobStore(client)
        self._checkpoint = checkpoint
        self._ledger = checkpoint.job.ledger()
        self._resumable = resumable
        self._saved_at = -math.inf
        self._error: BaseException | None = None
        self.redis_emptied_at = -math.inf
        """Monotonic time at which the stored checkpoint was last found missing: Redis had lost
        its data, including the queued messages."""

    def __enter__(self) -> Self:
        self._store.claim(self._checkpoint.job.id)
        self._save()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()

    def update(self, ledger: Ledger) -> None:
        """Save the progress of the ledger, once a second and when the ledger is complete.

        Raises ``JobCancelled`` if another command cancelled the job, and ``UsageError`` if
        another producer owns it.
        """
        self._ledger = ledger
        job = self._checkpoint.job
        if ledger.complete:
            self._checkpoint = replace(self._checkpoint, state=FINISHED)
        elif time.monotonic() - self._saved_at < CHECKPOINT_S:
            return
        self._save()
        self._store.claim(job.id)
        if not ledger.complete and self._client.exists(cancel_key(job.key)):
            raise JobCancelled(f"job {job.id} was cancelled by another command")

    def set_error(self, error: BaseException) -> None:
        """Set the error with which the job ends, for the last checkpoint."""
        states = {JobCancelled: CANCELLED, JobFailed: FAILED, ChunkTimeout: FAILED}
        state = next(
            (state for kind, state in states.items() if isinstance(error, kind)), INTERRUPTED
        )
        self._error = error
        self._checkpoint = replace(self._checkpoint, state=state, error=reason_of(error))

    def _close(self) -> None:
        job_id = self._checkpoint.job.id
        try:
            self._save()
            self._store.release(job_id)
        except redis.RedisError as error:
            logger.warning("the last checkpoint of job %s was not written: %s", job_id, error)
        except PoolraceError:
            return  # another producer owns the job now
        if self._resumable and self._checkpoint.state in (FAILED, INTERRUPTED):
            share = self._checkpoint.done / max(len(self._checkpoint.job), 1)
            saved = (
                f"{100 * share:.1f} % of the job is done and saved;"
                f" continue with: producer resume {job_id}"
            )
            if isinstance(self._error, KeyboardInterrupt):
                self._error.add_note(saved)  # the command says it together with the interruption
            else:
                logger.info(saved)

    def _save(self) -> None:
        """Save a checkpoint with the present progress of the ledger."""
        done, value = tuple(self._ledger.intervals), self._ledger.value
        job = replace(self._checkpoint.job, done=done, value=value)
        self._checkpoint = replace(self._checkpoint, job=job)
        replaces = self._store.save(self._checkpoint)
        self._saved_at = time.monotonic()
        if not replaces:
            self.redis_emptied_at = self._saved_at
