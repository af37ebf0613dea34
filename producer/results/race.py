"""What a race leaves behind: raw figures of each lap, and the file's form of them. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

from poolrace.producer.results.candidate import Candidate

Kind = Literal["base", "search", "final"]

Reason = Literal["gain", "top", "memory", "time", "executions", "failures"]
"""Why a pool was not tried with more: more gained nothing, more cannot gain, a limit."""


ROOM = 0.75
"""A machine of whose cores, as far as we may use them, others leave less is crowded."""


@dataclass(frozen=True)
class Lap:
    """One measured stretch of one candidate. Times in seconds."""

    candidate: Candidate
    kind: Kind
    round: int
    items: int
    """Items that succeeded."""
    failures: dict[str, int]
    """Items that did not, by the name of the exception."""
    items_per_s: float
    wall_s: float
    """From the first begin to the last end."""
    waiting_s: list[float]
    """p50, p95 and p99 of the time between sending an item and its begin."""
    running_s: list[float]
    """p50, p95 and p99 of the time between begin and end."""
    running_total_s: float
    own_cpu_s: float
    """CPU time of the threads that ran the items, while they did."""
    core_wait_s: float
    """Time that these threads were ready to run, and had no core."""
    cpu_s: float
    """CPU time of the workers' whole process trees."""
    peak_memory_bytes: int
    voluntary_switches: int
    involuntary_switches: int
    lost: bool = False
    """Whether the workers were gone or hung at the end."""
    traceback: str = ""
    """Of the first failure."""

    @property
    def executions(self) -> int:
        """Items that ran, well or not."""
        return self.items + sum(self.failures.values())


@dataclass(frozen=True)
class Race:
    """A race; raw values, nothing derived."""

    varies: ClassVar[str] = "candidate"
    """What its laps differ in."""

    made_at: str
    """When it began: ISO 8601, UTC."""
    app: str
    task: str
    items: int
    """Different items."""
    command: list[str]
    """What Celery's command line begins with, as in ``celery -A proj``."""
    queue: str | None
    """The queue that the app sends the task to, ``None`` for its default one."""
    cores: int
    cores_left: float
    """How many cores of the machine others left while the base was measured."""
    gil: bool
    max_memory_bytes: int
    executions: int
    """How often the task was executed, warming up included."""
    ended: dict[str, Reason]
    """Pool -> why its concurrency was not raised further."""
    left_out: dict[str, Reason]
    """Candidate that was asked for -> why it was not measured."""
    finalists: list[Candidate]
    environment: dict[str, Any]
    laps: tuple[Lap, ...]

    @property
    def crowded(self) -> bool:
        """Whether others compute on this machine."""
        return self.cores_left < ROOM * self.cores

    def of(self, candidate: Candidate, *kinds: Kind) -> list[Lap]:
        """The candidate's laps, of these kinds or all."""
        wanted = kinds or ("base", "search", "final")
        return [lap for lap in self.laps if lap.candidate == candidate and lap.kind in wanted]

    @property
    def candidates(self) -> list[Candidate]:
        """Who took part, in the order of the first laps."""
        return list(dict.fromkeys(lap.candidate for lap in self.laps))

    @property
    def base(self) -> list[Lap]:
        """The laps in one slot, which tell what the task is like by itself."""
        return [lap for lap in self.laps if lap.kind == "base"]

    def to_json(self) -> dict[str, Any]:
        """The race as a JSON object."""
        return asdict(self)


def failures(laps: Sequence[Lap]) -> Counter[str]:
    """All failures of these laps, by the name of the exception."""
    total: Counter[str] = Counter()
    for lap in laps:
        total.update(lap.failures)
    return total
