"""A comparison: several runs of each case of one job, with raw values only."""

from dataclasses import dataclass
from typing import Any, Literal

from poolrace.producer.results.run import Run
from poolrace.producer.results.schema import FORMAT

Varies = Literal["model", "chunks", "slots", "hosts"]
"""What the runs of a comparison differ in: a field of a run."""


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
