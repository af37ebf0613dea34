"""The result of the benchmark of races and its file: the verdict of each race. Pure."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from msgspec import ValidationError, convert

from benchmarks.race.oracle import Oracle
from benchmarks.results import file_name, machine_of
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.files import write_file
from poolrace.workers.errors import UsageError

FORMAT = 1
"""Version of the file's format; a file of another version is refused."""


@dataclass(frozen=True)
class RaceRun:
    """The verdict of one race, and how it stands against the app's oracle."""

    app: str
    round: int
    elapsed_s: float
    """Wall time of the whole command."""
    error: str = ""
    """The last line that the command wrote, if it failed."""
    recommended: Candidate | None = None
    limited_by: str = ""
    complete: bool = False
    distinguishable: bool = False
    crowded: bool = False
    """Whether the race says that other processes use the machine."""
    executions: int = 0
    speeds: dict[str, float] = field(default_factory=dict)
    """Candidate -> items/s in the race, which show why it recommended another one."""
    regret: float | None = None
    """Share of the oracle's best speed that the recommended candidate misses."""
    memory_ratio: float | None = None
    """Ratio of the recommended candidate's memory to that of the leanest one that is as fast."""


@dataclass(frozen=True)
class RacedApp:
    """The facts of an app by which its races are judged."""

    computes: bool
    """Whether the task is CPU-bound."""
    limits: list[str]
    """Right values of ``limited_by``."""
    item_s: float
    """Duration of an item that runs alone, in seconds."""
    best: Candidate
    """The oracle's fastest candidate."""
    best_items_per_s: float
    oracle_made_at: str
    unfinished: int
    """Number of candidates that the oracle had no time to measure."""


@dataclass(frozen=True)
class RaceBenchmark:
    """The races of the apps; holds nothing derived from them."""

    made_at: str
    """Start of the races: ISO 8601, UTC."""
    quick: bool
    """Whether the sizes were tiny; quick benchmarks are never judged or compared."""
    busy: bool
    """Whether a busy process ran beside the races."""
    environment: dict[str, Any]
    apps: dict[str, RacedApp]
    left_out: dict[str, str]
    """App -> the error because of which it has no oracle."""
    runs: list[RaceRun]

    def runs_of(self, app: str) -> list[RaceRun]:
        """The races of an app."""
        return [run for run in self.runs if run.app == app]


def raced_app(oracle: Oracle, *, computes: bool, limits: frozenset[str]) -> RacedApp:
    """The facts by which races are judged, from the oracle and the known answer."""
    return RacedApp(
        computes=computes,
        limits=sorted(limits),
        item_s=oracle.item_s,
        best=oracle.best.candidate,
        best_items_per_s=oracle.best_speed,
        oracle_made_at=oracle.made_at,
        unfinished=len(oracle.unfinished),
    )


def save(benchmark: RaceBenchmark, directory: Path) -> Path:
    """Write the file of a benchmark in one step; returns its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / file_name(benchmark.made_at, machine_of(benchmark.environment))
    data = {"format": FORMAT, "kind": "races", **asdict(benchmark)}
    write_file(path, json.dumps(data, indent=1) + "\n")
    return path


def load(path: Path) -> RaceBenchmark:
    """Read a file that ``save`` wrote; raises ``UsageError`` for any other file."""
    try:
        data = json.loads(path.read_text())
        if data["format"] != FORMAT or data["kind"] != "races":
            raise UsageError(f"{path} has no races in format version {FORMAT}; measure again")
        return convert(data, RaceBenchmark)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise UsageError(f"{path} has no complete races: {error}; measure again") from error


def newest_comparable(directory: Path, now: RaceBenchmark) -> RaceBenchmark | None:
    """The newest earlier benchmark of the same machine, as quiet or busy, with a common app."""
    return next((before for before in _stored(directory) if _comparable(before, now)), None)


def _stored(directory: Path) -> Iterator[RaceBenchmark]:
    """The stored benchmarks, the newest first."""
    return map(load, sorted(directory.glob("*.json"), reverse=True))


def _comparable(before: RaceBenchmark, now: RaceBenchmark) -> bool:
    same_machine = machine_of(before.environment) == machine_of(now.environment)
    same_kind = (before.busy, before.quick) == (now.busy, now.quick)
    earlier = before.made_at < now.made_at
    return same_machine and same_kind and earlier and bool(before.apps.keys() & now.apps.keys())
