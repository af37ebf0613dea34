"""The figures of a scaling series: speed-up against the number of hosts or slots. Pure."""

import math
from dataclasses import dataclass
from typing import Any, Literal, Self

from poolrace.producer.analysis.comparison_summary import (
    CaseSummary,
    case_summaries,
    total_cores,
)
from poolrace.producer.analysis.scaling_laws import (
    ScalabilityFit,
    fit_scalability,
    serial_fraction,
)
from poolrace.producer.results.comparison import Comparison, Varies

PREDICTED_FACTOR = 10
"""The speed-up is predicted for this many times the largest number of hosts or slots measured."""

SerialTrend = Literal["one number", "grows", "falls", "zero", "unclear", "constant"]
"""How the Karp-Flatt serial fraction changes with the number of hosts or slots.

``zero`` means not distinguishable from zero, ``unclear`` that the times vary too much to say.
"""


@dataclass(frozen=True)
class ScalingStep:
    """One number of hosts or slots, and the figures of its runs."""

    number: int
    case: CaseSummary

    @property
    def efficiency(self) -> float:
        """Speed-up over the number of hosts or slots."""
        return self.case.speed_up / self.number

    @property
    def serial_fraction(self) -> float | None:
        """Karp and Flatt's serial fraction; ``None`` for the number 1."""
        return serial_fraction(self.case.speed_up, self.number)

    def serial_fraction_error(self, base_s: float) -> float:
        """Error of the serial fraction that follows from the spread of the times."""
        return self.number * self.case.spread_s / (base_s * (self.number - 1))


@dataclass(frozen=True)
class ScalingSummary:
    """One step per number of hosts or slots, ascending, and the model fitted to their times."""

    varies: Varies
    """``hosts`` or ``slots``."""
    steps: list[ScalingStep]
    fit: ScalabilityFit | None
    """The fitted law; ``None`` with fewer than three different numbers."""
    cores: int
    """Number of cores of all machines."""

    @classmethod
    def from_comparison(cls, comparison: Comparison) -> Self:
        """Summarise the runs of a comparison in which the number of hosts or slots varies."""
        steps = [
            ScalingStep(getattr(case, comparison.varies), case)
            for case in case_summaries(comparison)
        ]
        return cls(
            varies=comparison.varies,
            steps=steps,
            fit=fit_scalability([(step.number, step.case.elapsed_s) for step in steps]),
            cores=total_cores(comparison),
        )

    @property
    def base(self) -> CaseSummary:
        """The case with the smallest number; speed-ups refer to its time."""
        return self.steps[0].case

    @property
    def predicted_number(self) -> int:
        """The number of hosts or slots that the speed-up is predicted for."""
        return PREDICTED_FACTOR * self.steps[-1].number

    def fitted_speed_up(self, number: float) -> float:
        """Speed-up by the fitted model, over the *measured* time of the base; ``nan`` if none.

        Measured speed-ups refer to the same time, so that both can be compared.
        """
        return self.fit.throughput(number) * self.base.elapsed_s if self.fit else math.nan

    @property
    def serial_fractions(self) -> list[float]:
        """The serial fraction of every step but the first."""
        return [step.serial_fraction or 0.0 for step in self.steps[1:]]

    @property
    def serial_trend(self) -> SerialTrend:
        """Whether the serial fraction grows by more than its error; needs two steps or more.

        Karp and Flatt: a fraction that stays the same is serial work, one that grows is overhead.
        """
        first, last = self.steps[1], self.steps[-1]
        if first is last:
            return "one number"
        base_s, fractions = self.base.elapsed_s, self.serial_fractions
        error = math.hypot(first.serial_fraction_error(base_s), last.serial_fraction_error(base_s))
        growth = fractions[-1] - fractions[0]
        if abs(growth) > error:
            return "grows" if growth > 0 else "falls"
        if error > max(fractions):
            return "zero"
        return "unclear" if error > max(fractions) / 3 else "constant"

    def to_json(self) -> dict[str, Any]:
        """The steps, the fitted model and its prediction as a JSON object."""
        steps = [
            {
                self.varies: step.number,
                "elapsed_s": step.case.elapsed_s,
                "spread_s": step.case.spread_s,
                "speed_up": step.case.speed_up,
                "efficiency": step.efficiency,
                "karp_flatt": step.serial_fraction,
            }
            for step in self.steps
        ]
        if self.fit is None:
            return {"steps": steps, "law": None, "prediction": None}
        number = self.predicted_number
        prediction = {self.varies: number, "speed_up": self.fitted_speed_up(number)}
        return {"steps": steps, "law": self.fit.to_json(), "prediction": prediction}
