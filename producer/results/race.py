"""Stored data of a race: its laps with their raw figures. Pure; nothing here is derived."""

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.interruption import Interruption

Kind = Literal["base", "search", "final"]
"""Stage of a race that a lap belongs to."""

Reason = Literal["gain", "top", "memory", "time", "executions", "failures", "interrupted"]
"""Reason why a pool's concurrency was not raised further, or a candidate was left out.

``gain``: twice the slots gained too little. ``top``: more slots cannot be kept busy. All other
reasons name the limit that was reached.
"""


@dataclass(frozen=True)
class Lap:
    """Figures of one measured stretch of one candidate. Times in seconds."""

    candidate: Candidate
    kind: Kind
    round: int
    items: int
    """Items that succeeded."""
    failures: dict[str, int]
    """Number of failed items by the name of the exception."""
    items_per_s: float
    wall_s: float
    """Seconds from the first start of an item to the last end."""
    waiting_s: list[float]
    """p50, p95 and p99 of the time between sending an item and its start."""
    running_s: list[float]
    """p50, p95 and p99 of the time between start and end of an item."""
    running_total_s: float
    own_cpu_s: float
    """CPU seconds of the threads that ran the items, while they ran them."""
    core_wait_s: float
    """Seconds in which these threads were ready to run and had no core."""
    cpu_s: float
    """CPU seconds of the workers' whole process trees."""
    peak_memory_bytes: int
    voluntary_switches: int
    involuntary_switches: int
    lost: bool = False
    """Whether the workers ended or hung before the lap did."""
    traceback: str = ""
    """Traceback of the first failure."""

    @property
    def executions(self) -> int:
        """Number of items that ran, whether they succeeded or failed."""
        return self.items + sum(self.failures.values())


@dataclass(frozen=True)
class Race:
    """Data of a race: its task, its limits and all laps."""

    varies: ClassVar[str] = "candidate"
    """Name of the thing in which the laps differ."""

    made_at: str
    """Start of the race: ISO 8601, UTC."""
    app: str
    task: str
    items: int
    """Number of different items."""
    command: list[str]
    """First words of Celery's command line, as in ``celery -A proj``."""
    queue: str | None
    """The queue that the app sends the task to, ``None`` for its default one."""
    cores: int
    cores_left: float
    """CPU cores of the machine that other processes left free while the base was measured."""
    gil: bool
    max_memory_bytes: int
    executions: int
    """Executions of the task, warm-up included."""
    ended: dict[str, Reason]
    """Pool -> why its concurrency was not raised further."""
    left_out: dict[str, Reason]
    """Planned candidate -> why it was not measured, or not to the end."""
    finalists: list[Candidate]
    environment: dict[str, Any]
    laps: tuple[Lap, ...]
    complete: bool = True
    """Whether the race ran to its end."""
    interruption: Interruption = ""
    """Reason why the race is not complete."""
    budget_s: float = 0.0
    """Time budget in seconds; 0 in files that do not hold it."""
    failures: dict[str, str] = field(default_factory=dict)
    """Candidate whose workers failed -> first failure, in the words of the task or the worker."""
    settings: dict[str, Any] = field(default_factory=dict)
    """The app's own ``worker_pool``, and the task's ``acks_late``, ``rate_limit`` and prefetch
    multiplier; the race ignored pool and rate limit."""
    sent: list[str] = field(default_factory=list)
    """Names of the tasks that the task sent; they were not run."""

    @property
    def candidates(self) -> list[Candidate]:
        """Candidates that have laps, in the order of their first laps."""
        return list(dict.fromkeys(lap.candidate for lap in self.laps))

    @property
    def base(self) -> list[Lap]:
        """Base laps: one slot, and no other item running; only lost ones if all were lost."""
        laps = [lap for lap in self.laps if lap.kind == "base"]
        return [lap for lap in laps if not lap.lost] or laps

    def to_json(self) -> dict[str, Any]:
        """The race as a JSON object."""
        return asdict(self)
