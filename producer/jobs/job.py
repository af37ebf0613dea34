"""A job: one range of a workload's indices, with its id. Pure."""

import math
import uuid
from dataclasses import dataclass, field

from poolrace.producer.jobs.ledger import Ledger
from poolrace.workers.chunks import Chunk
from poolrace.workers.errors import UsageError
from poolrace.workers.workloads import EMPTY, Workload

MIN_TIME_LIMIT_S = 0.001
"""Seconds of the shortest time limit of a chunk: a message takes a worker about as long."""


def new_job_id() -> str:
    """Return a random job id of twelve hexadecimal digits.

    Hexadecimal digits have no special meaning in the key patterns of Redis.
    """
    return uuid.uuid4().hex[:12]


@dataclass(frozen=True)
class Job:
    """A job: the range ``[start, stop)`` of a workload.

    Raises ``UsageError`` for a range that the workload does not have, or an unusable time limit.
    """

    workload: Workload
    start: int
    stop: int
    id: str = field(default_factory=new_job_id)
    generation: int = 0
    """Number of times the job was resumed."""
    done: tuple[Chunk, ...] = ()
    """Disjoint intervals, in order, that earlier generations of the job have counted."""
    value: int = EMPTY
    """Merged value of the intervals in ``done``."""
    time_limit_s: float | None = None
    """Seconds that a chunk may take under a Celery pool; ``None`` means no limit."""

    def __post_init__(self) -> None:
        self.workload.check(self.start, self.stop)
        if self.time_limit_s is not None and not (MIN_TIME_LIMIT_S <= self.time_limit_s < math.inf):
            raise UsageError(
                f"--time-limit {self.time_limit_s:g} is not a time limit;"
                f" give {MIN_TIME_LIMIT_S} s or more"
            )

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def key(self) -> str:
        """Prefix of the job's task ids.

        It differs in each generation, so a resumed job ignores results of earlier generations.
        """
        return f"{self.id}-{self.generation}" if self.generation else self.id

    def ledger(self) -> Ledger:
        """Return a new ledger in which ``done`` is counted already."""
        return Ledger(self.start, self.stop, self.workload.merge(), self.done, self.value)

    def missing_cost(self, ledger: Ledger) -> float:
        """Return the relative time of all indices that the ledger has not counted."""
        cost = self.workload.cost
        return sum(cost(gap.start, gap.stop) for gap in ledger.gaps)

    def expected(self) -> int:
        """Return the exact value, computed independently of any run; 0 for an empty range."""
        return self.workload.expected(self.start, self.stop) if len(self) else EMPTY

    def __str__(self) -> str:
        return f"{self.workload.name} over {Chunk(self.start, self.stop)}"
