"""A job: one range under one workload, and the name it goes by."""

import uuid
from dataclasses import dataclass, field

from poolrace.producer.jobs.ledger import Ledger
from poolrace.workers.chunks import Chunk
from poolrace.workers.workloads import EMPTY, Workload


def new_job_id() -> str:
    """Twelve hexadecimal digits: unique enough, and free of anything a pattern would expand."""
    return uuid.uuid4().hex[:12]


@dataclass(frozen=True)
class Job:
    """One range under one workload. Raises ``UsageError`` for a range the workload has not."""

    workload: Workload
    start: int
    stop: int
    id: str = field(default_factory=new_job_id)
    generation: int = 0
    """How often it was resumed."""
    done: tuple[Chunk, ...] = ()
    """What of the range is counted already, as disjoint intervals in order."""
    value: int = EMPTY
    """The value of what is done."""
    time_limit_s: float | None = None
    """Seconds that a chunk may take under a Celery pool, ``None``: as long as it likes."""

    def __post_init__(self) -> None:
        self.workload.check(self.start, self.stop)

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def key(self) -> str:
        """What its messages are named after: a resumed job takes none of its former self."""
        return f"{self.id}-{self.generation}" if self.generation else self.id

    def ledger(self) -> Ledger:
        """A ledger that holds what is done."""
        return Ledger(self.start, self.stop, self.workload.merge(), self.done, self.value)

    def expected(self) -> int:
        """The exact value, found independently of any run; 0 for an empty range."""
        return self.workload.expected(self.start, self.stop) if len(self) else EMPTY

    def __str__(self) -> str:
        return f"{self.workload.name} over {Chunk(self.start, self.stop)}"
