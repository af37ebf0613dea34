"""Scaling: what more hosts or slots give, as a table and in plain words."""

import math
from dataclasses import dataclass
from typing import Any, Self

from poolrace.producer.analysis.scaling_laws import (
    FAR,
    PARAMETERS,
    ScalabilityLaw,
    fit_scalability,
    serial_fraction,
)
from poolrace.producer.reports.views.comparison import Row, cores, rows
from poolrace.producer.reports.views.sweep import fit_words
from poolrace.producer.results.comparison import Comparison


@dataclass(frozen=True)
class Step:
    """A number of hosts or slots, and what it gave."""

    number: int
    row: Row

    @property
    def efficiency(self) -> float:
        """Speed-up over the number."""
        return self.row.speed_up / self.number

    @property
    def serial(self) -> float | None:
        """Karp and Flatt's serial fraction; ``None`` for one."""
        return serial_fraction(self.row.speed_up, self.number)

    def serial_error(self, one_s: float) -> float:
        """By how much the spread of the times moves the serial fraction."""
        return self.number * self.row.spread_s / (one_s * (self.number - 1))


@dataclass(frozen=True)
class Scale:
    """A step a number of hosts or slots, and the law through their times, if there is one."""

    title: str
    what: str
    """``hosts`` or ``slots``."""
    steps: list[Step]
    law: ScalabilityLaw | None
    cores: int
    """Of all machines together."""

    @classmethod
    def of(cls, comparison: Comparison) -> Self:
        """From the runs of a comparison in which the number of hosts or slots varies."""
        what = comparison.varies
        steps = [Step(getattr(row, what), row) for row in rows(comparison)]
        model = steps[0].row.model if steps else "no model"
        return cls(
            title=f"{comparison.workload}: what more {what} give under {model}",
            what=what,
            steps=steps,
            law=fit_scalability([(step.number, step.row.elapsed_s) for step in steps]),
            cores=cores(comparison),
        )

    def fitted(self, number: float) -> float:
        """The law's speed-up, over the measured time of one as the others are; ``nan`` if none."""
        return self.law.throughput(number) * self.steps[0].row.elapsed_s if self.law else math.nan

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the columns."""
        others = () if self.what == "slots" else ("slots",)
        return (
            self.what, *others, "time s", "±", "speed-up", "efficiency", "Karp-Flatt", "law",
            "CPU s", "exact",
        )  # fmt: skip

    def cells(self) -> list[tuple[str, ...]]:
        """The steps as text, in the order of ``header``."""
        return [
            (
                str(step.number),
                *(() if self.what == "slots" else (str(step.row.slots),)),
                f"{step.row.elapsed_s:.3f}",
                f"{step.row.spread_s:.3f}",
                f"{step.row.speed_up:.2f}",
                f"{step.efficiency:.2f}",
                "-" if step.serial is None else f"{step.serial:.3f}",
                "-" if self.law is None else f"{self.fitted(step.number):.2f}",
                f"{step.row.cpu_s:.2f}",
                "yes" if step.row.exact else "NO",
            )
            for step in self.steps
        ]

    def figures(self) -> dict[str, Any]:
        """The steps, the law and its prediction as a JSON object."""
        steps = [
            {
                self.what: step.number,
                "elapsed_s": step.row.elapsed_s,
                "spread_s": step.row.spread_s,
                "speed_up": step.row.speed_up,
                "efficiency": step.efficiency,
                "karp_flatt": step.serial,
            }
            for step in self.steps
        ]
        if self.law is None:
            return {"steps": steps, "law": None, "prediction": None}
        far = FAR * self.steps[-1].number
        prediction = {self.what: far, "speed_up": self.fitted(far)}
        return {"steps": steps, "law": self.law.to_json(), "prediction": prediction}

    def findings(self) -> list[str]:
        """The speed-up, what limits it, what the law predicts, what to bear in mind."""
        if len(self.steps) < 2 or self.steps[0].number != 1:
            return [f"There is no run on one of the {self.what} to compare the others with."]
        last = self.steps[-1]
        return [
            (
                f"{last.number} {self.what} gave a speed-up of {last.row.speed_up:.2f} over one,"
                f" an efficiency of {last.efficiency:.2f}."
            ),
            self._serial(),
            *self._predicted(),
            *self._shared(),
        ]

    def _serial(self) -> str:
        """Karp and Flatt's reading: whether what does not scale is serial work or overhead."""
        one_s = self.steps[0].row.elapsed_s
        first, last = self.steps[1], self.steps[-1]
        fractions = [step.serial or 0.0 for step in self.steps[1:]]
        figures = ", ".join(f"{fraction:.3f}" for fraction in fractions)
        error = math.hypot(first.serial_error(one_s), last.serial_error(one_s))
        grown = fractions[-1] - fractions[0]
        if first is last:
            return f"The serial fraction is {figures}; a third number would tell whether it grows."
        if grown > error:
            return (
                f"The serial fraction grows ({figures}): what is lost is overhead or a shared"
                f" resource, which more {self.what} make worse, not serial work."
            )
        if -grown > error:
            return (
                f"The serial fraction falls ({figures}): what is lost is paid once, for whatever"
                f" number of {self.what}."
            )
        if error > max(fractions):
            return f"The serial fraction ({figures}) is not distinguishable from none."
        if error > max(fractions) / 3:
            return (
                f"Whether the serial fraction grows ({figures}) cannot be told from times that"
                " differ so much from run to run; raise --repeat."
            )
        return (
            f"The serial fraction stays the same within the spread ({figures}): what is lost is"
            " serial work, as in Amdahl's law."
        )

    def _predicted(self) -> list[str]:
        if self.law is None:
            few = f"Too few numbers of {self.what} ({len(self.steps)}) to fit the Universal"
            return [f"{few} Scalability Law: give {PARAMETERS}, as in --{self.what} 1,2,4."]
        law, far = self.law, FAR * self.steps[-1].number
        peak = (
            f"beyond {law.peak:.0f} {self.what} it gets slower"
            if math.isfinite(law.peak)
            else f"more {self.what} never make it slower"
        )
        terms = f"contention sigma {law.sigma:.4f}, crosstalk kappa {law.kappa:.5f}"
        what = f"For {far} {self.what}, {FAR} times the most that were measured, it predicts"
        return [
            f"Universal Scalability Law: {terms} ({fit_words(law.r_squared)}); by it {peak}.",
            f"{what} a speed-up of {self.fitted(far):.2f}: an extrapolation, not a measurement.",
        ]

    def _shared(self) -> list[str]:
        """Cores that ran out make every figure one of the machine rather than of the model."""
        slots, one = self.steps[-1].row.slots, self.steps[0].row
        if slots <= self.cores or one.cpu_s < one.elapsed_s / 2:
            return []
        what = f"{slots} slots shared {self.cores} core(s), and this work needs cores: beyond"
        return [f"{what} {self.cores} slots the figures tell of them, not of more machines."]
