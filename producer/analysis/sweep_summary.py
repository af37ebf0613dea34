"""The figures of a sweep: run time against the number of chunks, and the fitted model. Pure."""

from dataclasses import dataclass
from typing import Any, Self

from poolrace.producer.analysis.comparison_summary import (
    CaseSummary,
    case_summaries,
    within_spread,
)
from poolrace.producer.analysis.scaling_laws import ChunkFit, fit_chunks
from poolrace.producer.results.comparison import Comparison


@dataclass(frozen=True)
class SweepSummary:
    """One case per number of chunks, ascending, and the model fitted to their median times."""

    cases: list[CaseSummary]
    fit: ChunkFit | None
    """The fitted model; ``None`` with fewer than three different numbers of chunks."""

    @classmethod
    def from_comparison(cls, comparison: Comparison) -> Self:
        """Summarise the runs of a comparison in which the number of chunks varies."""
        cases = case_summaries(comparison)
        points = [(case.chunks, case.elapsed_s) for case in cases]
        return cls(cases, fit_chunks(points, cases[0].slots))

    @property
    def fastest(self) -> CaseSummary:
        """The case with the shortest median time."""
        return min(self.cases, key=lambda case: case.elapsed_s)

    @property
    def tied(self) -> list[CaseSummary]:
        """The fastest case and all cases that do not differ from it by more than the spread."""
        return [case for case in self.cases if within_spread(case, self.fastest)]

    def to_json(self) -> dict[str, Any]:
        """The median times and the fitted model as a JSON object."""
        steps = [
            {"chunks": case.chunks, "elapsed_s": case.elapsed_s, "spread_s": case.spread_s}
            for case in self.cases
        ]
        return {"steps": steps, "law": self.fit.to_json() if self.fit else None}
