"""Runs, comparisons, races, maps, and their file: what lies between measuring and reporting."""

import json
import math
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, Literal, TypeVar, get_args, get_origin, get_type_hints

from producer.race.candidates import Candidate
from producer.race.records import Lap, Race
from producer.race.spots import PoolMap, SpotLap
from workers.errors import UsageError

T = TypeVar("T")

FORMAT = 4
"""Version of the file's format; a file of another version is refused."""

BESIDES = ("format", "kind", "figures")
"""What a file holds besides the comparison: ``--json`` prints figures that follow from it."""

Varies = Literal["model", "chunks", "slots", "hosts"]
"""What the runs of a comparison differ in: a field of a run."""


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
            host: {slot: _typed(SlotShare, share) for slot, share in slots.items()}
            for host, slots in data["shares"].items()
        }
        events = [_typed(Event, event) for event in data["events"]]
        records = [_typed(ChunkRecord, record) for record in data["records"]]
        return _typed(cls, {**data, "shares": shares, "events": events, "records": records})


@dataclass(frozen=True)
class Comparison:
    """Several runs each of several cases of one job; raw values, nothing derived."""

    made_at: str
    """When it began: ISO 8601, UTC."""
    varies: Varies
    workload: str
    parameters: dict[str, Any]
    start: int
    stop: int
    expected: int
    repeat: int
    schedule: str
    """What was asked for, as in ``auto`` or ``dynamic --chunk-size 100``; of a sweep its name."""
    environment: dict[str, Any]
    runs: tuple[Run, ...]
    """In the order in which they were made."""

    @property
    def exact(self) -> bool:
        """Whether every run gave the expected value over the whole range."""
        return all(run.exact for run in self.runs)

    def to_json(self) -> dict[str, Any]:
        """The comparison as a JSON object with its format version."""
        fields = {**vars(self), "runs": [run.to_json() for run in self.runs]}
        return {"format": FORMAT, "kind": "comparison", **fields}


Results = Comparison | Race | PoolMap
"""What a file holds, and what a report is of."""


def save(results: Results, path: Path) -> None:
    """Write the file, whole or not at all."""
    kind = next(name for name, (cls, _) in _KINDS.items() if isinstance(results, cls))
    data = {"format": FORMAT, "kind": kind, **results.to_json()}
    write_file(path, json.dumps(data, indent=1) + "\n")


def load(path: Path) -> Results:
    """Read a file that ``save`` wrote; raises ``UsageError`` for any other."""
    try:
        data = json.loads(path.read_text())
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not whole JSON: {error}; make it anew") from error
    found = data.get("format") if isinstance(data, dict) else None
    if found != FORMAT:
        raise UsageError(
            f"{path} has format version {found!r}, this poolrace reads {FORMAT}; make it anew"
        )
    kind = data.get("kind", "comparison")
    if kind not in _KINDS:
        raise UsageError(f"{path} is of kind {kind!r}, not one of {', '.join(_KINDS)}")
    try:
        return _KINDS[kind][1]({it: data[it] for it in data if it not in BESIDES})
    except (KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is not a {kind}: {error!r}; make it anew") from error


def require_writable(path: Path) -> None:
    """Raise ``UsageError`` if ``path`` could not be written, before anything is measured."""
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            raise UsageError(f"cannot write {path}: it is no regular file; give another path")
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; give another path") from error


def write_file(path: Path, content: str | bytes) -> None:
    """Replace the file at once, so that a reader never sees half of it; follows links."""
    target = path.resolve()
    handle, draft = tempfile.mkstemp(dir=target.parent, prefix=".poolrace-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        Path(draft).chmod(0o644)
        Path(draft).replace(target)
    except BaseException:
        Path(draft).unlink()
        raise


def _comparison(data: dict[str, Any]) -> Comparison:
    return _typed(Comparison, {**data, "runs": tuple(map(Run.from_json, data["runs"]))})


def _race(data: dict[str, Any]) -> Race:
    finalists = [_typed(Candidate, it) for it in data["finalists"]]
    return _typed(Race, {**data, "laps": tuple(map(_lap, data["laps"])), "finalists": finalists})


def _pool_map(data: dict[str, Any]) -> PoolMap:
    laps = (_typed(SpotLap, {**it, "lap": _lap(it["lap"])}) for it in data["laps"])
    return _typed(PoolMap, {**data, "laps": tuple(laps)})


def _lap(data: dict[str, Any]) -> Lap:
    return _typed(Lap, {**data, "candidate": _typed(Candidate, data["candidate"])})


_KINDS: dict[str, tuple[type[Results], Callable[[dict[str, Any]], Results]]] = {
    "comparison": (Comparison, _comparison),
    "race": (Race, _race),
    "map": (PoolMap, _pool_map),
}
"""Kind, as a file names it -> its class, and how it is read."""


def _typed(cls: type[T], data: dict[str, Any]) -> T:
    """An instance of the dataclass; raises ``TypeError`` if a field has another type.

    A number must be finite, and a float may have been written without a fraction.
    """
    for name, wanted in get_type_hints(cls).items():
        if get_origin(wanted) is ClassVar:
            continue
        value = data[name]
        if get_origin(wanted) is Literal:
            if value not in get_args(wanted):
                raise TypeError(f"{name} is {value!r}")
            continue
        kinds = get_args(wanted) if isinstance(wanted, UnionType) else (wanted,)
        allowed = {get_origin(kind) or kind for kind in kinds}
        if float in allowed:
            allowed.add(int)
        if type(value) not in allowed or (type(value) is float and not math.isfinite(value)):
            raise TypeError(f"{name} is {value!r}")
    return cls(**data)
