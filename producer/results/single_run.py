"""A single run with its environment: the results of ``producer run``. Raw values only."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from poolrace.producer.results.environment import Environment
from poolrace.producer.results.fields import Time
from poolrace.producer.results.interruption import Interruption
from poolrace.producer.results.run import Run


@dataclass(frozen=True)
class SingleRun:
    """One run of one job, with the environment that it was measured in."""

    varies: ClassVar[str] = "chunk"
    """Name of the thing in which the records of the run differ."""

    made_at: Time
    """Time of the start: ISO 8601, UTC."""
    environment: Environment
    run: Run
    complete: bool = True
    """Whether the run ended; a run is stored only if it did."""
    interruption: Interruption = ""
    """Reason why the run is not complete."""
    invocation: str = ""
    """Command line that repeats the run."""

    def __post_init__(self) -> None:
        if not self.environment.hosts:
            raise ValueError("`environment.hosts` is empty")

    @property
    def exact(self) -> bool:
        """Whether the run is exact."""
        return self.run.exact

    def to_json(self) -> dict[str, Any]:
        """The run with its environment as a JSON object."""
        return asdict(self)
