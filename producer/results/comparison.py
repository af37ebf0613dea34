"""A comparison: several runs of each case of one job; raw values, nothing derived."""

from dataclasses import dataclass
from typing import Any, Literal

from poolrace.producer.results.run import Run
from poolrace.producer.results.schema import FORMAT

Varies = Literal["model", "chunks", "slots", "hosts"]
"""The field of a run in which the cases of a comparison differ."""


@dataclass(frozen=True)
class Comparison:
    """The runs of a comparison, with job and environment; raw values, nothing derived."""

    made_at: str
    """Time of the start: ISO 8601, UTC."""
    varies: Varies
    workload: str
    parameters: dict[str, Any]
    start: int
    stop: int
    expected: int
    repeat: int
    """Number of runs per case."""
    schedule: str
    """The schedule as requested, as in ``auto`` or ``dynamic --chunk-size 100``."""
    environment: dict[str, Any]
    runs: tuple[Run, ...]
    """All runs in the order of measurement."""

    @property
    def exact(self) -> bool:
        """Whether all runs are exact."""
        return all(run.exact for run in self.runs)

    def to_json(self) -> dict[str, Any]:
        """The comparison as a JSON object with its format version."""
        fields = {**vars(self), "runs": [run.to_json() for run in self.runs]}
        return {"format": FORMAT, "kind": "comparison", **fields}
