"""A run: the raw values of one measured execution of a job."""

from dataclasses import asdict, dataclass
from typing import Any

from poolrace.producer.results.schema import typed


@dataclass(frozen=True, slots=True)
class ChunkRecord:
    """The record of one chunk: its range, host, slot, times and values."""

    start: int
    stop: int
    host: str
    slot: str
    arrived_s: float
    """Seconds from the start of the run until the result arrived, by the producer's clock."""
    duration_s: float
    value: int | None
    """The partial of the chunk; ``None`` if it is a big integer."""
    merged: int | None
    """The value of the job after this chunk was merged; ``None`` if it is a big integer."""


@dataclass(slots=True)
class SlotShare:
    """The share of one slot in a run: chunks, indices, and seconds spent on them."""

    chunks: int = 0
    indices: int = 0
    busy_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Event:
    """An event during a run: a host joined or left, or chunks were sent again."""

    at_s: float
    """Seconds from the start of the run, by the producer's clock."""
    what: str
    """Description of the event for users."""


@dataclass(frozen=True)
class Run:
    """One measured execution of a job; times in seconds.

    ``docs/explanation/measuring.md`` defines each figure.
    """

    job: str
    workload: str
    parameters: dict[str, Any]
    start: int
    stop: int
    model: str
    slots: int
    """Number of slots at the start; hosts may join and leave later."""
    hosts: int
    """Number of hosts that took part at any time."""
    machines: int
    """Number of machines of these hosts, as far as the hosts can detect them."""
    schedule: str
    chunks: int
    duplicates: int
    """Number of results that were ignored because their chunk was done already."""
    retries: int
    """Number of chunks that were sent again because their code failed."""
    resent: int
    """Number of chunks that were sent again because they were lost."""
    backups: int
    """Number of slow chunks of which a copy was sent to an idle slot."""
    resumed: int
    """Number of indices of the same job that earlier runs had done."""
    value: int
    expected: int
    exact: bool
    """Whether the whole range was counted once and the value equals the expected one."""
    intervals: list[list[int]]
    """Intervals ``[start, stop]`` of indices that were counted, merged and ascending."""
    elapsed_s: float
    startup_s: float
    cpu_s: float
    busy_s: float
    efficiency: float
    voluntary_switches: int
    involuntary_switches: int
    peak_memory_bytes: int
    shares: dict[str, dict[str, SlotShare]]
    """Name of the host -> name of the slot -> share."""
    events: list[Event]
    records: list[ChunkRecord]

    def to_json(self) -> dict[str, Any]:
        """The run as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Run":
        """Rebuild a run; raises ``KeyError`` or ``TypeError`` if the data is not a run."""
        shares = {
            host: {slot: typed(SlotShare, share) for slot, share in slots.items()}
            for host, slots in data["shares"].items()
        }
        events = [typed(Event, event) for event in data["events"]]
        records = [typed(ChunkRecord, record) for record in data["records"]]
        return typed(cls, {**data, "shares": shares, "events": events, "records": records})
