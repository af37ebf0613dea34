"""A sweep: what the number of chunks costs, as a table and in plain words."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from poolrace.producer.analysis.scaling_laws import PARAMETERS, ChunkLaw, fit_chunks
from poolrace.producer.reports.views.comparison import Row, rows
from poolrace.producer.results.comparison import Comparison

HEADER = (
    "chunks", "time s", "±", "law s", "overhead s", "imbalance s", "CPU s", "exact",
)  # fmt: skip

GOOD_FIT = 0.8
"""R² below which the law is said to explain little."""


@dataclass(frozen=True)
class Sweep:
    """A row a number of chunks, and the law through their times, if there is one."""

    title: str
    rows: list[Row]
    law: ChunkLaw | None

    @classmethod
    def of(cls, comparison: Comparison) -> Self:
        """From the runs of a comparison in which the number of chunks varies."""
        table = rows(comparison)
        model = table[0].model if table else "no model"
        title = f"{comparison.workload}: what the number of chunks costs under {model}"
        return cls(title, table, _fitted(table))

    def cells(self) -> list[tuple[str, ...]]:
        """The rows as text, in the order of ``HEADER``."""
        return [
            (
                str(row.chunks),
                f"{row.elapsed_s:.3f}",
                f"{row.spread_s:.3f}",
                *self._parts(row.chunks),
                f"{row.cpu_s:.2f}",
                "yes" if row.exact else "NO",
            )
            for row in self.rows
        ]

    def figures(self) -> dict[str, Any]:
        """The steps and the law as a JSON object."""
        steps = [
            {"chunks": row.chunks, "elapsed_s": row.elapsed_s, "spread_s": row.spread_s}
            for row in self.rows
        ]
        return {"steps": steps, "law": self.law.to_json() if self.law else None}

    def findings(self) -> list[str]:
        """What the law says, where the best number of chunks lies, how sure that is."""
        if self.law is None:
            return [self._too_few(), *self._alike()]
        return [self._costs(self.law), self._sweet_spot(self.law), *self._alike()]

    def _costs(self, law: ChunkLaw) -> str:
        chunk = f"{law.overhead_s * 1000:.2f} ms" if law.overhead_s else "nothing measurable"
        rest = f"{law.imbalance_s:.3f} s / n" if law.imbalance_s else "nothing measurable"
        step = law.in_step
        rounds, where, full = "", "", ""
        if step > 1:
            rounds, where = " * r", f", r = {step} * ceil(n / {step}) / n"
            full = "slots wait in a last round that is not full (r), and "
        return (
            f"A chunk costs {chunk} of the run's time; {full}waiting for slower slots costs {rest}."
            f" Fitted for n chunks: time = {law.work_s:.3f} s{rounds} + {law.overhead_s:.2g} s * n"
            f" + {law.imbalance_s:.3f} s / n{where} ({fit_words(law.r_squared)})."
        )

    def _too_few(self) -> str:
        return (
            f"Too few numbers of chunks ({len(self.rows)}) to fit the law: give {PARAMETERS},"
            " better five, as in --chunks 2,8,32,128,512."
        )

    def _parts(self, chunks: int) -> tuple[str, str, str]:
        if self.law is None:
            return "-", "-", "-"
        overhead_s = self.law.overhead_s * chunks
        imbalance_s = self.law.waiting_s(chunks)
        return f"{self.law.time_s(chunks):.3f}", f"{overhead_s:.3f}", f"{imbalance_s:.3f}"

    def _sweet_spot(self, law: ChunkLaw) -> str:
        """The best number of chunks by the law, and whether that was measured."""
        fewest, most, spot = self.rows[0].chunks, self.rows[-1].chunks, law.sweet_spot
        if spot is None or spot > most:
            return (
                f"The sweet spot lies beyond {most} chunks, the most that were measured: there"
                f" waiting costs {law.waiting_s(most):.3f} s, and chunks"
                f" {law.overhead_s * most:.3f} s. Measure more: --chunks."
            )
        if spot < fewest:
            return (
                f"The sweet spot is {fewest} chunks or fewer: from there on, the fewest that were"
                " measured, each chunk more only costs."
            )
        lost_s = law.time_s(spot) - law.work_s
        return (
            f"The sweet spot is about {spot} chunks, where both together cost {lost_s:.3f} s,"
            f" {lost_s / law.time_s(spot):.1%} of the run."
        )

    def _alike(self) -> Iterator[str]:
        """Which of the measured numbers cannot be told from the fastest one."""
        if not self.rows:
            return
        best = min(self.rows, key=lambda row: row.elapsed_s)
        fastest = f"Of those measured, {best.chunks} chunks were the fastest"
        alike = [row.chunks for row in self.rows if _overlap(row, best)]
        if not any(row.spread_s for row in self.rows):
            yield f"{fastest}; one run of each does not tell by how much that may be chance."
        elif len(alike) < 2:
            yield f"{fastest}, by more than the spread."
        else:
            numbers = f"{', '.join(map(str, alike[:-1]))} and {alike[-1]}"
            yield f"{fastest}, but {numbers} cannot be told apart: they differ by no more than ±."


def _fitted(table: list[Row]) -> ChunkLaw | None:
    slots = table[0].slots if table else 1
    return fit_chunks([(row.chunks, row.elapsed_s) for row in table], slots)


def fit_words(r_squared: float | None) -> str:
    """How well a law fits."""
    if r_squared is None:
        return "fitted exactly, so nothing is left to judge the fit by"
    words = f"R² {r_squared:.3f}"
    return words if r_squared >= GOOD_FIT else f"{words}: it explains little, raise --repeat"


def _overlap(row: Row, best: Row) -> bool:
    return row.elapsed_s - best.elapsed_s <= math.hypot(row.spread_s, best.spread_s)
