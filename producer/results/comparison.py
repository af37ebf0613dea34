"""A comparison: several runs of each case of one job; raw values, nothing derived."""

from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

from msgspec import Meta

from poolrace.producer.results.environment import Environment
from poolrace.producer.results.fields import (
    Count,
    Index,
    Name,
    Parameter,
    PositiveCount,
    ScheduleText,
    Time,
)
from poolrace.producer.results.interruption import Interruption
from poolrace.producer.results.run import Run
from poolrace.producer.results.simulation import Simulation

Varies = Literal["model", "chunks", "slots", "hosts"]
"""The field of a run in which the cases of a comparison differ."""


@dataclass(frozen=True)
class Comparison:
    """The runs of a comparison, with job and environment; raw values, nothing derived."""

    made_at: Time
    """Time of the start: ISO 8601, UTC."""
    varies: Varies
    workload: Name
    parameters: dict[Name, Parameter]
    start: Index
    stop: Index
    expected: int
    repeat: PositiveCount
    """Number of runs per case."""
    schedule: ScheduleText
    """The schedule as requested, as in ``auto`` or ``dynamic --chunk-size 100``."""
    environment: Environment
    runs: Annotated[tuple[Run, ...], Meta(min_length=1)]
    """All runs in the order of measurement."""
    complete: bool = True
    """Whether all planned runs were measured."""
    interruption: Interruption = ""
    """Reason why the comparison is not complete."""
    planned: Count = 0
    """Number of runs that were planned; 0 in files of older versions."""
    invocation: str = ""
    """Command line that repeats the comparison; empty in files of older versions."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Models that could not run -> the reason, in words after "because"; empty in files of older
    versions."""
    simulation: Simulation | None = None
    """The simulation that the runs come from; ``None`` for measured runs."""

    def __post_init__(self) -> None:
        if not self.environment.hosts:
            raise ValueError("`environment.hosts` is empty")
        if self.varies != "model" and not all(getattr(run, self.varies) for run in self.runs):
            raise ValueError(
                f"`{self.varies}` of a run is 0, and its cases differ in `{self.varies}`"
            )
        if self.simulation and [case.hosts for case in self.simulation.cases] != [
            run.hosts for run in self.runs
        ]:
            raise ValueError("`simulation.cases` are not those of `runs`")
        for name in ("workload", "start", "stop", "expected"):
            if any(getattr(run, name) != getattr(self, name) for run in self.runs):
                raise ValueError(f"`{name}` of a run differs from that of the comparison")

    @property
    def exact(self) -> bool:
        """Whether all runs are exact."""
        return all(run.exact for run in self.runs)

    def to_json(self) -> dict[str, Any]:
        """The comparison as a JSON object."""
        return asdict(self)
