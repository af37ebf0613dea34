"""Stored data of ``producer claims``: the figures of each claim. Pure; verdicts are derived."""

from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from poolrace.producer.results.environment import Environment
from poolrace.producer.results.fields import Count, Name, Time
from poolrace.producer.results.interpreter import Interpreter
from poolrace.producer.results.interruption import Interruption

Unit = Literal["s", "bytes", "per s", "count"]
"""Unit of the values of a figure."""

SUFFIXES: dict[str, Unit] = {
    "_per_s": "per s", "_bytes": "bytes", "_count": "count", "_s": "s",
}  # fmt: skip
"""End of a figure's name -> its unit; the first one that fits counts."""

Verdict = Literal[
    "holds", "does not hold", "depends on", "not distinguishable", "not tested"
]  # fmt: skip
"""The verdict on a claim; it is derived from the figures and never stored."""

FigureName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*\Z")]
"""The name of a figure, as in ``fork_process_s``."""

Value = Annotated[float, Meta(ge=0, le=1e18)]
"""A value of a figure."""


@dataclass(frozen=True)
class Figure:
    """A figure of a claim, with its value in each round."""

    name: FigureName
    unit: Unit
    values: Annotated[list[Value], Meta(min_length=1)]

    @classmethod
    def named(cls, name: str, values: list[float]) -> "Figure":
        """The figure of this name, whose end says the unit."""
        unit = next(unit for suffix, unit in SUFFIXES.items() if name.endswith(suffix))
        return cls(name, unit, values)


@dataclass(frozen=True)
class Claim:
    """A claim under one interpreter: its words, the way it was tested, and its figures."""

    name: Name
    statement: str
    method: str
    interpreter: str
    """Label of the interpreter, as in ``3.13t``."""
    pool: str = ""
    """Celery pool on whose workers the claim was tested; empty for this machine."""
    figures: list[Figure] = field(default_factory=list)
    not_tested: str = ""
    """Reason why the claim could not be tested here; empty if it was tested."""

    def values(self) -> dict[str, list[float]]:
        """Name of each figure -> its values."""
        return {figure.name: figure.values for figure in self.figures}


@dataclass(frozen=True)
class Claims:
    """The claims that were tested, with the environment that they were tested in."""

    varies: ClassVar[str] = "claim"
    """Name of the thing in which the figures differ."""

    made_at: Time
    """Time of the start: ISO 8601, UTC."""
    environment: Environment
    interpreters: Annotated[list[Interpreter], Meta(min_length=1)]
    """The interpreters that ran the experiments."""
    claims: Annotated[list[Claim], Meta(min_length=1)]
    complete: bool = True
    """Whether all experiments ended."""
    interruption: Interruption = ""
    """Reason why the results are not complete."""
    planned: Count = 0
    """Number of claims that complete results have."""
    invocation: str = ""
    """Command line that repeats the measurement."""

    def __post_init__(self) -> None:
        if not self.environment.hosts:
            raise ValueError("`environment.hosts` is empty")

    def to_json(self) -> dict[str, Any]:
        """The claims with their environment as a JSON object."""
        return asdict(self)
