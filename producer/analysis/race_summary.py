"""The figures of each candidate, out of its laps. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from poolrace.producer.analysis.rates import interval
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Lap, Race, failures


@dataclass(frozen=True)
class CandidateSummary:
    """A candidate and its figures: medians over its laps, and the largest of its memory peaks."""

    candidate: Candidate
    laps: int
    items_per_s: float
    ci95: tuple[float, float] | None
    waiting_s: list[float]
    """p50, p95, p99."""
    running_s: list[float]
    """p50, p95, p99."""
    cpu_s_per_item: float
    cores_used: float
    """CPU seconds a second, those that were wanted and not to be had included."""
    overlap: float
    """Items that ran at a time, on average."""
    peak_memory_bytes: int
    switches_per_item: float
    failures: Counter[str]
    executions: int
    waiting_share: float

    @property
    def failed_share(self) -> float:
        """Part of the items that failed."""
        return self.failures.total() / max(self.executions, 1)

    def to_json(self) -> dict[str, Any]:
        """The figures as a JSON object, with those of the candidate."""
        return {
            **self.candidate.to_json(),
            "items_per_s": self.items_per_s,
            "ci95": self.ci95,
            "failures": dict(self.failures),
            "cpu_s_per_item": self.cpu_s_per_item,
            "peak_memory_bytes": self.peak_memory_bytes,
            "waiting_share": self.waiting_share,
            "waiting_s": dict(zip(("p50", "p95", "p99"), self.waiting_s, strict=True)),
            "running_s": dict(zip(("p50", "p95", "p99"), self.running_s, strict=True)),
            "switches_per_item": self.switches_per_item,
            "laps": self.laps,
        }


def standings(race: Race) -> list[CandidateSummary]:
    """Those of all candidates, the fastest first."""
    found = [_standing(race, candidate) for candidate in race.candidates]
    return sorted(found, key=lambda it: -it.items_per_s)


def speeds(race: Race, candidate: Candidate) -> list[float]:
    """Items/s in the rounds of the finals."""
    return [lap.items_per_s for lap in race.of(candidate, "final")]


def own_waiting_share(laps: Sequence[Lap]) -> float:
    """Part of the running time in which a thread neither computed nor waited for a core."""
    total_s = sum(lap.running_total_s for lap in laps)
    busy_s = sum(lap.own_cpu_s + lap.core_wait_s for lap in laps)
    return _share(1 - busy_s / total_s) if total_s else 0.0


def _standing(race: Race, candidate: Candidate) -> CandidateSummary:
    every = race.of(candidate)
    laps = race.of(candidate, "final") or every
    ran = sum(lap.executions for lap in every) or 1
    rates = [lap.items_per_s for lap in laps]
    wall_s = sum(lap.wall_s for lap in laps) or 1e-9
    return CandidateSummary(
        candidate=candidate,
        laps=len(laps),
        items_per_s=median(rates),
        ci95=interval(rates),
        waiting_s=_medians([lap.waiting_s for lap in laps]),
        running_s=_medians([lap.running_s for lap in laps]),
        cpu_s_per_item=sum(lap.cpu_s for lap in every) / ran,
        cores_used=sum(lap.cpu_s + lap.core_wait_s for lap in laps) / wall_s,
        overlap=sum(lap.running_total_s for lap in laps) / wall_s,
        peak_memory_bytes=max(lap.peak_memory_bytes for lap in every),
        switches_per_item=sum(it.voluntary_switches + it.involuntary_switches for it in every)
        / ran,
        failures=failures(every),
        executions=ran,
        waiting_share=_waiting_share(race, candidate, laps),
    )


def _waiting_share(race: Race, candidate: Candidate, laps: Sequence[Lap]) -> float:
    """As far as the pool lets it be told from waiting for others.

    Items in processes of their own are measured. A thread that waits for the GIL, or a greenlet
    whose turn it is not, looks like one that waits for an answer: there the share is at most that
    of the base, where nobody else is.
    """
    if candidate.pool in {"prefork", "solo"}:
        return own_waiting_share(laps)
    most = own_waiting_share(race.base)
    if candidate.pool == "threads":
        return min(most, own_waiting_share(laps))
    total_s = sum(lap.running_total_s for lap in laps)
    return min(most, _share(1 - sum(lap.cpu_s for lap in laps) / total_s)) if total_s else 0.0


def _medians(rows: Sequence[Sequence[float]]) -> list[float]:
    return [median(column) for column in zip(*rows, strict=True)]


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))
