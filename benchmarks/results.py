"""A measured benchmark and the file it is kept in: raw values, environment, format version."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.rows import Figure
from poolrace.producer.analysis.stats import median
from poolrace.producer.results.files import write_file
from poolrace.workers.errors import UsageError

FORMAT = 1
"""Version of the file's format; a file of another version is refused."""

MACHINE = ("cpu", "cores", "cpu_quota", "system", "python", "gil")
"""The facts of a host that must be alike for two results to be compared."""


@dataclass(frozen=True)
class Sample:
    """What one measurement of one contender gave, in one round of one row."""

    row: int
    contender: str
    round: int
    values: Mapping[str, list[float]]


@dataclass(frozen=True)
class Benchmark:
    """Raw values of all rounds of all rows; nothing derived."""

    made_at: str
    """When it began: ISO 8601, UTC."""
    quick: bool
    """Tiny sizes: shows that everything runs, and is compared with nothing."""
    sizes: dict[str, Any]
    works: dict[str, str]
    """Row -> what was done in it."""
    environment: dict[str, Any]
    peers: dict[str, str]
    """Peer -> its package and version."""
    left_out: dict[str, str]
    """``row contender`` -> why."""
    samples: tuple[Sample, ...]

    @property
    def machine(self) -> dict[str, Any]:
        """The facts that decide whether two results may be compared."""
        [host] = self.environment["hosts"]
        return {name: host[name] for name in MACHINE}

    @property
    def machine_id(self) -> str:
        """Eight hexadecimal digits that stand for these facts."""
        return hashlib.sha256(json.dumps(self.machine).encode()).hexdigest()[:8]

    @property
    def file_name(self) -> str:
        """Sorts by time."""
        moment = self.made_at.replace(":", "").replace("-", "").replace("+0000", "Z")
        return f"{moment}-{self.machine_id}.json"

    def rounds(self, figure: Figure) -> list[float]:
        """The figure in each round in which it could be measured."""
        own = self._by_round(figure.row, figure.contender, figure.key)
        if figure.over is None:
            return list(own.values())
        other = self._by_round(figure.row, figure.over, figure.key)
        return [own[number] / other[number] for number in own if number in other]

    def _by_round(self, row: int, contender: str, key: str) -> dict[int, float]:
        return {
            sample.round: median(sample.values[key])
            for sample in self.samples
            if (sample.row, sample.contender) == (row, contender) and key in sample.values
        }


def save(benchmark: Benchmark, directory: Path) -> Path:
    """Write the file, whole or not at all; returns where."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / benchmark.file_name
    data = {"format": FORMAT, "kind": "benchmark", **asdict(benchmark)}
    write_file(path, json.dumps(data, indent=1) + "\n")
    return path


def load(path: Path) -> Benchmark:
    """Read a file that ``save`` wrote; raises ``UsageError`` for any other."""
    try:
        data = json.loads(path.read_text())
        if data.pop("format") != FORMAT or data.pop("kind") != "benchmark":
            raise UsageError(f"{path} is no benchmark of format version {FORMAT}; make it anew")
        samples = tuple(Sample(**sample) for sample in data.pop("samples"))
        return Benchmark(**data, samples=samples)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is not a whole benchmark: {error!r}; make it anew") from error


def stored(directory: Path) -> Iterable[Benchmark]:
    """The benchmarks kept in a directory, the newest first, without quick ones."""
    for path in sorted(directory.glob("*.json"), reverse=True):
        benchmark = load(path)
        if not benchmark.quick:
            yield benchmark
