"""The oracle of an app: its best candidate by an exhaustive measurement, and its file. Pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, ValidationError, convert

from poolrace.producer.analysis.stats import median
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.files import write_file
from poolrace.producer.results.race import Lap
from poolrace.workers.errors import UsageError

FORMAT = 1
"""Version of the file's format; a file of another version is measured again."""

ENOUGH_ROUNDS = 5
"""Number of laps in the final from which a candidate counts as compared with the best one. The
ratio of two candidates varies by 15 % between rounds."""

AS_FAST = 0.1
"""Relative difference of speed up to which a candidate with less memory would do as well."""


@dataclass(frozen=True)
class Measured:
    """Laps of one candidate."""

    candidate: Candidate
    peak_memory_bytes: int
    search: list[float] = field(default_factory=list)
    """Items/s of the laps that measured all candidates in turn."""
    final: list[float] = field(default_factory=list)
    """Items/s of the laps that measured the fastest candidates in turn; they count instead."""


@dataclass(frozen=True)
class Oracle:
    """The exhaustive measurement of one app on one machine."""

    app: str
    made_at: str
    """Start of the measurement: ISO 8601, UTC."""
    key: Mapping[str, Any]
    """Facts that must be equal for the oracle to be used: machine, versions, the app's files."""
    elapsed_s: float
    item_s: float
    """Duration of an item that runs alone, in seconds."""
    cpu_share: float
    """Share of this duration in which a core computes."""
    measured: Annotated[list[Measured], Meta(min_length=1)]
    left_out: dict[str, str]
    """Candidate -> the physical reason why it was not measured, ``failed: `` and the first failure,
    or ``time``."""

    @property
    def best(self) -> Measured:
        """The fastest candidate of the final."""
        finalists = [measured for measured in self.measured if measured.final]
        return max(finalists or self.measured, key=self.speed)

    @property
    def best_speed(self) -> float:
        """Items/s of the fastest candidate."""
        return self.speed(self.best)

    @property
    def leanest(self) -> Measured:
        """The candidate with the least memory among those within ``AS_FAST`` of the fastest."""
        enough = (1 - AS_FAST) * self.best_speed
        fast = [measured for measured in self.measured if self.speed(measured) >= enough]
        return min(fast, key=lambda measured: measured.peak_memory_bytes)

    @property
    def unfinished(self) -> list[str]:
        """Candidates that were not measured because the time was over."""
        return [name for name, reason in self.left_out.items() if reason == "time"]

    def speed(self, measured: Measured) -> float:
        """Median items/s; laps before the final are converted to the machine's speed in the final.

        A machine that was slower in the final would otherwise favour candidates without final laps.
        """
        if measured.final:
            return median(measured.final)
        ratios = [
            median(other.final) / median(other.search)
            for other in self.measured
            if other.final and other.search and median(other.search) > 0
        ]
        return median(measured.search) * (median(ratios) if ratios else 1.0)

    def of(self, candidate: Candidate) -> Measured | None:
        """The laps of a candidate, ``None`` if it was not measured."""
        return next((known for known in self.measured if known.candidate == candidate), None)

    def has_compared(self, candidate: Candidate) -> bool:
        """Whether enough laps compare a candidate with the best one, or it is the best one."""
        known = self.of(candidate)
        enough = known is not None and len(known.final) >= ENOUGH_ROUNDS
        return enough or candidate == self.best.candidate

    def regret(self, candidate: Candidate) -> float:
        """Share of the best speed that this candidate, which was measured, misses."""
        return max(0.0, 1 - self.speed(self._known(candidate)) / self.best_speed)

    def memory_ratio(self, candidate: Candidate) -> float:
        """Ratio of this candidate's memory to that of the leanest one that is as fast."""
        return self._known(candidate).peak_memory_bytes / self.leanest.peak_memory_bytes

    def with_measured(self, new: Measured) -> "Oracle":
        """The oracle with the laps of one more candidate, or new laps of a known one."""
        others = [known for known in self.measured if known.candidate != new.candidate]
        left_out = {name: why for name, why in self.left_out.items() if name != str(new.candidate)}
        return replace(self, measured=[*others, new], left_out=left_out)

    def _known(self, candidate: Candidate) -> Measured:
        measured = self.of(candidate)
        if measured is None:
            raise ValueError(f"{candidate} is not part of the oracle of {self.app}")
        return measured


def with_paired(
    oracle: Oracle, candidate: Candidate, laps: Mapping[Candidate, Sequence[Lap]]
) -> Oracle:
    """The oracle with a candidate that was measured in turn with the best one.

    Its speed is the best one's, times the ratio of the two within each round: the machine may be
    faster or slower today. Without a common round the oracle stays as it is.
    """
    pairs = zip(laps[candidate], laps[oracle.best.candidate], strict=False)
    ratios = [lap.items_per_s / other.items_per_s for lap, other in pairs if other.items_per_s]
    if not ratios:
        return oracle
    return oracle.with_measured(
        Measured(
            candidate,
            max(lap.peak_memory_bytes for lap in laps[candidate]),
            final=[ratio * oracle.best_speed for ratio in ratios],
        )
    )


def digest(files: Iterable[tuple[str, bytes]]) -> str:
    """A hash of names and contents of files, of sixteen hexadecimal digits."""
    together = hashlib.sha256()
    for name, content in files:
        together.update(f"{name}\0{len(content)}\0".encode() + content)
    return together.hexdigest()[:16]


def path_of(directory: Path, app: str, key: Mapping[str, Any]) -> Path:
    """The path of an oracle's file: the app's name, and a hash of the key."""
    text = json.dumps(key, sort_keys=True)
    return directory / f"{app}-{hashlib.sha256(text.encode()).hexdigest()[:8]}.json"


def save(oracle: Oracle, directory: Path) -> Path:
    """Write the file of an oracle in one step; returns its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = path_of(directory, oracle.app, oracle.key)
    data = {"format": FORMAT, "kind": "oracle", **asdict(oracle)}
    write_file(path, json.dumps(data, indent=1) + "\n")
    return path


def load(path: Path) -> Oracle | None:
    """Read the file of an oracle, ``None`` if there is none of this version.

    Raises ``UsageError`` for any other file.
    """
    try:
        data = json.loads(path.read_text())
        return convert(data, Oracle) if data["format"] == FORMAT else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise UsageError(f"{path} is not an oracle: {error}; delete it to measure again") from error
