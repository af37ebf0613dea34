"""The result of a benchmark and its file: raw values, environment, format version."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from poolrace.producer.analysis.stats import median
from poolrace.producer.results.files import write_file
from poolrace.workers.errors import UsageError

FORMAT = 1
"""Version of the file's format; a file of another version is refused."""

MACHINE = ("cpu", "cores", "cpu_quota", "system", "python", "gil")
"""Facts of a host that must be equal for two results to be compared."""


@dataclass(frozen=True)
class Sample:
    """The values of one measurement: of one contender, in one round of one row."""

    row: int
    contender: str
    round: int
    values: Mapping[str, list[float]]


@dataclass(frozen=True)
class Benchmark:
    """The raw values of a benchmark, of all rounds of all rows; holds nothing derived."""

    made_at: str
    """Start of the benchmark: ISO 8601, UTC."""
    quick: bool
    """Whether the sizes were tiny; quick benchmarks are never compared."""
    sizes: dict[str, Any]
    works: dict[str, str]
    """Description of the work, by row."""
    environment: dict[str, Any]
    peers: dict[str, str]
    """Package and version, by peer."""
    left_out: dict[str, str]
    """Reason why a contender was not measured, by ``ROW CONTENDER``."""
    samples: tuple[Sample, ...]

    @property
    def machine(self) -> dict[str, Any]:
        """The facts of the machine that must be equal for two results to be compared."""
        return machine_of(self.environment)

    @property
    def machine_id(self) -> str:
        """A hash of these facts, of eight hexadecimal digits."""
        return id_of(self.machine)

    @property
    def file_name(self) -> str:
        """The name of the file: time and machine, so that names sort by time."""
        return file_name(self.made_at, self.machine)

    def rounds(self, figure: Figure) -> list[float]:
        """The values of a figure, one for each round that measured it."""
        values = self._by_round(figure.row, figure.contender, figure.key)
        if figure.over is None:
            return list(values.values())
        divisors = self._by_round(figure.row, figure.over, figure.key)
        return [value / divisors[number] for number, value in values.items() if number in divisors]

    def _by_round(self, row: int, contender: str, key: str) -> dict[int, float]:
        return {
            sample.round: median(sample.values[key])
            for sample in self.samples
            if (sample.row, sample.contender) == (row, contender) and key in sample.values
        }


def machine_of(environment: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of the machine of an environment that must be equal for a comparison."""
    [host] = environment["hosts"]
    return {name: host[name] for name in MACHINE}


def id_of(machine: Mapping[str, Any]) -> str:
    """A hash of facts of a machine, of eight hexadecimal digits."""
    return hashlib.sha256(json.dumps(machine).encode()).hexdigest()[:8]


def file_name(made_at: str, machine: Mapping[str, Any]) -> str:
    """The name of a file of results: time and machine, so that names sort by time."""
    time = made_at.replace(":", "").replace("-", "").replace("+0000", "Z")
    return f"{time}-{id_of(machine)}.json"


def save(benchmark: Benchmark, directory: Path) -> Path:
    """Write a benchmark's file atomically; returns its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / benchmark.file_name
    data = {"format": FORMAT, "kind": "benchmark", **asdict(benchmark)}
    write_file(path, json.dumps(data, indent=1) + "\n")
    return path


def load(path: Path) -> Benchmark:
    """Read a file that ``save`` wrote; raises ``UsageError`` for any other file."""
    try:
        data = json.loads(path.read_text())
        if data.pop("format") != FORMAT or data.pop("kind") != "benchmark":
            raise UsageError(f"{path} is not a benchmark of format version {FORMAT}; measure again")
        samples = tuple(Sample(**sample) for sample in data.pop("samples"))
        return Benchmark(**data, samples=samples)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is not a complete benchmark: {error!r}; measure again") from error


def stored(directory: Path) -> Iterable[Benchmark]:
    """The benchmarks stored in a directory, newest first, without quick ones."""
    for path in sorted(directory.glob("*.json"), reverse=True):
        benchmark = load(path)
        if not benchmark.quick:
            yield benchmark
