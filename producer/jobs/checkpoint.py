"""The checkpoint of a job: its parameters, the intervals that are done, and its state."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import ScheduleChoice
from poolrace.workers.chunks import Chunk, decode_int, encode_int
from poolrace.workers.errors import UsageError
from poolrace.workers.pools import pool_named
from poolrace.workers.workloads import make_workload

State = Literal["running", "interrupted", "failed", "finished", "cancelled"]
"""State of a job when its checkpoint was written."""

RUNNING: State = "running"
INTERRUPTED: State = "interrupted"
FAILED: State = "failed"
FINISHED: State = "finished"
CANCELLED: State = "cancelled"
ENDED = (FINISHED, CANCELLED)
"""States of a job that cannot be resumed."""

LOST = "lost"
"""State of a job whose checkpoint says ``running`` while no producer owns it."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint: the job, its progress, and all else that ``producer resume`` needs."""

    job: Job
    pool: str
    slots: int | None
    schedule: ScheduleChoice
    state: State = RUNNING
    made_at: str = ""
    """Time at which the checkpoint was written: ISO 8601, UTC."""
    error: str | None = None
    """The message of the error that ended the job, ``None`` if there was none."""

    @property
    def done(self) -> int:
        """Number of indices that are done."""
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
        """Rebuild a checkpoint; raises ``ValueError`` for JSON that is not a valid checkpoint."""
        try:
            return _checkpoint(msgspec.convert(data, _Stored))
        except (msgspec.ValidationError, UsageError, ValueError, TypeError) as error:
            raise ValueError(f"not a checkpoint: {error}") from error


PositiveInt = Annotated[int, msgspec.Meta(ge=1, le=10**18)]


class _Schedule(msgspec.Struct, forbid_unknown_fields=True):
    """The schedule of a stored checkpoint."""

    name: str
    chunks: PositiveInt | None
    chunk_size: PositiveInt | None


class _Stored(msgspec.Struct, forbid_unknown_fields=True):
    """A stored checkpoint: msgspec checks the type of each field."""

    job: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{12}\Z")]
    generation: Annotated[int, msgspec.Meta(ge=0, le=10**6)]
    workload: str
    parameters: dict[str, Any]
    start: int
    stop: int
    intervals: list[tuple[int, int]]
    value: int | str
    time_limit_s: Annotated[float, msgspec.Meta(gt=0, le=1e12)] | None
    pool: str
    slots: PositiveInt | None
    schedule: _Schedule
    state: State
    made_at: str
    error: str | None


def _checkpoint(stored: "_Stored") -> Checkpoint:
    """Rebuild a checkpoint from its fields; raises an error if they contradict each other."""
    parameters = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in stored.parameters.items()
    }
    job = Job(
        make_workload(stored.workload, parameters),
        stored.start,
        stored.stop,
        id=stored.job,
        generation=stored.generation,
        done=_disjoint(stored),
        value=decode_int(stored.value),
        time_limit_s=stored.time_limit_s,
    )
    chosen = stored.schedule
    schedule = ScheduleChoice(chosen.name, chosen.chunks, chosen.chunk_size)
    schedule.make(len(job))
    pool_named(stored.pool)
    datetime.fromisoformat(stored.made_at)
    (stored.error or "").encode()  # a lone surrogate cannot be printed
    return Checkpoint(
        job,
        stored.pool,
        stored.slots,
        schedule,
        stored.state,
        stored.made_at,
        stored.error,
    )


def _disjoint(stored: "_Stored") -> tuple[Chunk, ...]:
    """The intervals that are done; raises ``ValueError`` unless they lie apart, in order."""
    end = stored.start - 1
    for start, stop in stored.intervals:
        if not end < start < stop <= stored.stop:
            raise ValueError(
                f"interval [{start}, {stop}) is empty, or touches another one, or lies outside of"
                f" [{stored.start}, {stored.stop})"
            )
        end = stop
    return tuple(Chunk(start, stop) for start, stop in stored.intervals)
