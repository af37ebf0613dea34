"""A run: the raw values of one measured execution of a job."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta, convert

from poolrace.producer.results.fields import (
    ByteCount,
    Count,
    Difference,
    Index,
    ModelName,
    Name,
    Parameter,
    PositiveCount,
    PositiveSeconds,
    Rate,
    Seconds,
    UsedSeconds,
)

Interval = Annotated[list[Index], Meta(min_length=2, max_length=2)]
"""Start and stop of a range of indices."""


ChunkMark = Literal["", "retried", "resent", "backup", "duplicate"]
"""Reason why a chunk was sent more than once; ``duplicate``: its result was ignored, because the
chunk was done already."""

EventKind = Literal["", "joined", "silent", "left", "resent", "retried", "backup", "reconnected"]
"""Kind of an event; empty in files of older versions, and for events of no other kind."""


@dataclass(frozen=True, slots=True)
class ChunkRecord:
    """The record of one chunk: its range, host, slot, times and values."""

    start: Index
    stop: Index
    host: str
    slot: str
    arrived_s: Seconds
    """Seconds from the start of the run until the result arrived, by the producer's clock."""
    duration_s: Seconds
    value: int | None
    """The partial of the chunk; ``None`` if it is a big integer."""
    merged: int | None
    """The value of the job after this chunk was merged; ``None`` if it is a big integer."""
    sent_s: Seconds | None = None
    """Seconds from the start of the run until the chunk was dispatched, by the producer's clock;
    ``None`` in files of older versions."""
    cpu_s: Seconds | None = None
    """CPU seconds of the chunk; ``None`` in files of older versions."""
    waited_s: Seconds | None = None
    """Seconds of the duration in which the chunk waited; ``None`` in files of older versions."""
    mark: ChunkMark = ""
    """Reason why the chunk was sent more than once, or its result arrived twice."""


@dataclass(slots=True)
class SlotShare:
    """The share of one slot in a run: chunks, indices, and seconds spent on them."""

    chunks: Count = 0
    indices: Count = 0
    busy_s: Seconds = 0.0


@dataclass(frozen=True, slots=True)
class Event:
    """An event during a run: a host joined or left, or chunks were sent again."""

    at_s: Seconds
    """Seconds from the start of the run, by the producer's clock."""
    what: str
    """Description of the event for users."""
    kind: EventKind = ""
    host: str = ""
    """Name of the host that the event is about; empty if there is none."""


@dataclass(frozen=True, slots=True)
class UntimedEvent:
    """An event without its time, which the run adds."""

    what: str
    """Description of the event for users."""
    kind: EventKind = ""
    host: str = ""
    """Name of the host that the event is about; empty if there is none."""

    def at(self, seconds: float) -> Event:
        """The event at this time of the run."""
        return Event(seconds, self.what, self.kind, self.host)


@dataclass(frozen=True, slots=True)
class UtilisationRow:
    """Busy seconds of one slot, of one host, or of all hosts, in each bin of a run."""

    host: str
    """Name of the host; empty for all hosts together."""
    slot: str
    """Name of the slot; empty for all slots of the host together."""
    busy_s: list[Seconds]
    """Busy seconds in each bin, summed over the slots of the row."""


@dataclass(frozen=True, slots=True)
class Utilisation:
    """Busy seconds of the whole run over time, in bins of equal length."""

    bin_s: PositiveSeconds
    """Length of a bin in seconds."""
    rows: list[UtilisationRow]


@dataclass(frozen=True)
class Run:
    """One measured execution of a job; times in seconds.

    ``docs/explanation/measuring.md`` defines each figure.
    """

    job: str
    workload: Name
    parameters: dict[Name, Parameter]
    start: Index
    stop: Index
    model: ModelName
    slots: PositiveCount
    """Number of slots at the start; hosts may join and leave later."""
    hosts: Count
    """Number of hosts that took part at any time."""
    machines: Count
    """Number of machines of these hosts, as far as the hosts can detect them."""
    schedule: Name
    chunks: Count
    duplicates: Count
    """Number of results that were ignored because their chunk was done already."""
    retries: Count
    """Number of chunks that were sent again because their code failed."""
    resent: Count
    """Number of chunks that were sent again because they were lost."""
    backups: Count
    """Number of slow chunks of which a copy was sent to an idle slot."""
    resumed: Count
    """Number of indices of the same job that earlier runs had done."""
    value: int
    expected: int
    exact: bool
    """Whether the whole range was counted once and the value equals the expected one."""
    intervals: list[Interval]
    """Intervals ``[start, stop]`` of indices that were counted, merged and ascending."""
    elapsed_s: PositiveSeconds
    startup_s: Seconds
    cpu_s: UsedSeconds
    busy_s: Seconds
    efficiency: Rate
    voluntary_switches: Difference
    involuntary_switches: Difference
    peak_memory_bytes: ByteCount
    shares: dict[str, dict[str, SlotShare]]
    """Name of the host -> name of the slot -> share."""
    events: list[Event]
    records: list[ChunkRecord]
    """Records of all chunks, or of a selection that covers the whole run."""
    utilisation: Utilisation | None = None
    """Utilisation of the slots over time; ``None`` in files of older versions."""

    def __post_init__(self) -> None:
        whole = [[self.start, self.stop]] if self.start < self.stop else []
        if self.exact and (self.value != self.expected or self.intervals != whole):
            raise ValueError(
                "`exact` is true, but `value` is not `expected`, or `intervals` do not reach from"
                " `start` to `stop`"
            )

    def to_json(self) -> dict[str, Any]:
        """The run as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Run":
        """Rebuild a run; raises ``msgspec.ValidationError`` if the data is not a run."""
        return convert(data, cls)
