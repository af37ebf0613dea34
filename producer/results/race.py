"""Stored data of a race: its laps with their raw figures. Pure; nothing here is derived."""

from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.environment import Environment
from poolrace.producer.results.fields import (
    ByteCount,
    Cores,
    Count,
    Difference,
    Name,
    Percentiles,
    PositiveCount,
    Quantiles,
    Rate,
    Seconds,
    Time,
    UsedSeconds,
    require_divisible,
)
from poolrace.producer.results.interruption import Interruption

Kind = Literal["base", "search", "final"]
"""Stage of a race that a lap belongs to."""

Reason = Literal[
    "gain", "top", "blocked", "slower", "memory", "time", "executions", "failures", "interrupted"
]
"""Reason why a pool's concurrency was not raised further, or a candidate was left out.

``gain``: more slots gained too little. ``top``: more slots cannot be kept busy. ``blocked``: all
greenlets stand still while one of them waits. ``slower``: no number of slots and workers can make
the pool as fast as the fastest one. All other reasons name the limit that was reached.
"""


@dataclass(frozen=True)
class Lap:
    """Figures of one measured stretch of one candidate. Times in seconds."""

    candidate: Candidate
    kind: Kind
    round: Count
    items: Count
    """Items that succeeded."""
    failures: dict[str, Count]
    """Number of failed items by the name of the exception."""
    items_per_s: Rate
    wall_s: Seconds
    """Seconds from the first start of an item to the last end."""
    waiting_s: Percentiles
    """p50, p95 and p99 of the time between sending an item and its start."""
    running_s: Percentiles
    """p50, p95 and p99 of the time between start and end of an item."""
    running_total_s: Seconds
    own_cpu_s: Seconds
    """CPU seconds of the threads that ran the items, while they ran them."""
    core_wait_s: Seconds
    """Seconds in which these threads were ready to run and had no core."""
    cpu_s: UsedSeconds
    """CPU seconds of the workers' whole process trees."""
    peak_memory_bytes: ByteCount
    voluntary_switches: Difference
    involuntary_switches: Difference
    main_cpu_s: UsedSeconds | None = None
    """CPU seconds of the workers' main processes, which handle the messages; ``None`` in files that
    do not hold it. Only a prefork worker has other processes."""
    cut_short: bool = False
    """Whether the lap was ended early, because it had shown that the candidate is slow."""
    lost: bool = False
    """Whether the workers ended or hung before the lap did."""
    traceback: str = ""
    """Traceback of the first failure."""
    at_s: Seconds | None = None
    """Seconds from the start of the race to the start of the lap; ``None`` in files of older
    versions."""
    waiting_quantiles_s: Quantiles | None = None
    """Quantiles of the time between sending an item and its start; ``None`` in files of older
    versions, and for laps without items."""
    running_quantiles_s: Quantiles | None = None
    """Quantiles of the time between start and end of an item; ``None`` likewise."""

    def __post_init__(self) -> None:
        require_divisible(
            items_per_s=self.items_per_s, wall_s=self.wall_s, running_total_s=self.running_total_s
        )

    @property
    def executions(self) -> int:
        """Number of items that ran, whether they succeeded or failed."""
        return self.items + sum(self.failures.values())

    @property
    def mostly_failed(self) -> bool:
        """Whether more items failed than succeeded."""
        return sum(self.failures.values()) > self.items


@dataclass(frozen=True)
class TaskSettings:
    """Settings of the app and options of the task that bear on a verdict."""

    worker_pool: str | None = None
    """The app's own pool; the race ignored it."""
    acks_late: bool = False
    prefetch: Count = 4
    """The app's prefetch multiplier."""
    rate_limit: Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,9})?(/[smh])?\Z")] | None = None
    """The task's rate limit, as ``60/m``; the race ignored it."""
    eager: bool = False
    """Whether the app sets ``task_always_eager``; the race ignored it."""
    soft_time_limit_s: Seconds | None = None
    """The task's soft time limit in seconds, which Celery applies in prefork only."""
    process_init: list[str] = field(default_factory=list)
    """Functions that the app connects to the signal ``worker_process_init``."""


@dataclass(frozen=True)
class Race:
    """Data of a race: its task, its limits and all laps."""

    varies: ClassVar[str] = "candidate"
    """Name of the thing in which the laps differ."""

    made_at: Time
    """Start of the race: ISO 8601, UTC."""
    app: str
    task: str
    items: Count
    """Number of different items."""
    command: Annotated[list[str], Meta(min_length=1)]
    """First words of Celery's command line, as in ``celery -A proj``."""
    queue: str | None
    """The queue that the app sends the task to, ``None`` for its default one."""
    cores: PositiveCount
    cores_left: Cores
    """CPU cores of the machine that other processes left free while the base was measured."""
    gil: bool
    max_memory_bytes: Annotated[int, Meta(ge=0)]
    executions: Count
    """Executions of the task, warm-up included."""
    ended: dict[Name, Reason]
    """Pool -> why its concurrency was not raised further."""
    left_out: dict[str, Reason]
    """Planned candidate -> why it was not measured, or not to the end."""
    finalists: list[Candidate]
    environment: Environment
    laps: Annotated[tuple[Lap, ...], Meta(min_length=1)]
    complete: bool = True
    """Whether the race ran to its end."""
    interruption: Interruption = ""
    """Reason why the race is not complete."""
    budget_s: Seconds = 0.0
    """Time budget in seconds; 0 in files that do not hold it."""
    failures: dict[str, str] = field(default_factory=dict)
    """Candidate whose workers failed -> first failure, in the words of the task or the worker."""
    settings: TaskSettings = field(default_factory=TaskSettings)
    sent: list[str] = field(default_factory=list)
    """Names of the tasks that the task sent; they were not run."""
    retried: bool = False
    """Whether the task asked to be retried; the item failed instead."""
    items_digest: str = ""
    """SHA-256 of the arguments of all items, in any order; empty in files of older versions."""
    invocation: str = ""
    """Command line that repeats the race; empty in files of older versions."""

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
