"""The checkpoint of a job: its parameters, the intervals that are done, and its state."""

from dataclasses import asdict, dataclass
from typing import Any

from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import ScheduleChoice
from poolrace.workers.chunks import Chunk, decode_int, encode_int
from poolrace.workers.workloads import make_workload

RUNNING, INTERRUPTED, FAILED = "running", "interrupted", "failed"
FINISHED, CANCELLED = "finished", "cancelled"
ENDED = (FINISHED, CANCELLED)
"""States of a job that cannot be resumed."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint: the job, its progress, and all else that ``producer resume`` needs."""

    job: Job
    pool: str
    slots: int | None
    schedule: ScheduleChoice
    state: str = RUNNING
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
        """Rebuild a checkpoint; raises ``ValueError`` for JSON that is not a checkpoint."""
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
            raise ValueError(f"not a checkpoint: {error!r}") from error
