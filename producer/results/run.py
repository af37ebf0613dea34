"""A run: one measured execution of a job, with raw values only."""

from dataclasses import asdict, dataclass
from typing import Any

from poolrace.producer.results.schema import typed


@dataclass(frozen=True, slots=True)
class ChunkRecord:
    """Where and when a chunk ran, and what it gave."""

    start: int
    stop: int
    host: str
    slot: str
    arrived_s: float
    """When its result arrived, in seconds after the start, by the producer's clock."""
    duration_s: float
    value: int | None
    """Its partial, ``None`` if it is a big integer."""
    merged: int | None
    """The job's value once this chunk was merged, ``None`` if it is a big integer."""


@dataclass(slots=True)
class SlotShare:
    """What one slot did in a run."""

    chunks: int = 0
    indices: int = 0
    busy_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a run: a host joined or left, chunks were sent again."""

    at_s: float
    """Seconds after the start, by the producer's clock."""
    what: str


@dataclass(frozen=True)
class Run:
    """One measured execution. Times in seconds; see docs/measuring.md for what each includes."""

    job: str
    workload: str
    parameters: dict[str, Any]
    start: int
    stop: int
    model: str
    slots: int
    """At the start; hosts may join and leave."""
    hosts: int
    """That were there at any time."""
    machines: int
    """That these hosts are on, as far as they can tell."""
    schedule: str
    chunks: int
    duplicates: int
    retries: int
    """Chunks whose code failed, and that were sent again."""
    resent: int
    """Chunks that were nowhere to be found, and sent again."""
    backups: int
    """Slow chunks that were given to an idle slot too."""
    resumed: int
    """Indices that were done before this run, of the same job."""
    value: int
    expected: int
    exact: bool
    intervals: list[list[int]]
    elapsed_s: float
    startup_s: float
    cpu_s: float
    busy_s: float
    efficiency: float
    voluntary_switches: int
    involuntary_switches: int
    peak_memory_bytes: int
    shares: dict[str, dict[str, SlotShare]]
    """Host -> slot -> share."""
    events: list[Event]
    records: list[ChunkRecord]

    def to_json(self) -> dict[str, Any]:
        """The run as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Run":
        """Rebuild a run; raises ``KeyError`` or ``TypeError`` for anything that is not one."""
        shares = {
            host: {slot: typed(SlotShare, share) for slot, share in slots.items()}
            for host, slots in data["shares"].items()
        }
        events = [typed(Event, event) for event in data["events"]]
        records = [typed(ChunkRecord, record) for record in data["records"]]
        return typed(cls, {**data, "shares": shares, "events": events, "records": records})
