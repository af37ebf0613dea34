"""Computes the summary of each candidate of a race from its laps. Pure.

Seconds are added with ``fsum``: ``sum`` rounds floats differently before Python 3.12, and the same
file must give the same bytes under every Python.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from statistics import median
from typing import Any

from poolrace.producer.analysis.stats import MIN_VALUES, confidence_interval
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Kind, Lap, Race

KINDS: tuple[Kind, ...] = ("final", "search", "base")
"""Kinds of laps, those that compare candidates best first."""

PERCENTILE_NAMES = ("p50", "p95", "p99")

BUSY_BELOW = 0.75
"""Share of the usable cores: the machine counts as busy when other processes leave us less."""


@dataclass(frozen=True)
class CandidateSummary:
    """Figures of one candidate: medians over laps of one kind, and its largest memory peak."""

    candidate: Candidate
    laps: int
    """Number of laps of that kind."""
    items_per_s: float
    ci95: tuple[float, float] | None
    """95 % confidence interval of ``items_per_s``; ``None`` for fewer than three laps."""
    waiting_s: list[float]
    """p50, p95 and p99 of the time between sending an item and its start."""
    running_s: list[float]
    """p50, p95 and p99 of the time between start and end of an item."""
    cpu_s_per_item: float
    cores_used: float
    """Cores that the workers used, or waited for while other processes had them."""
    overlap: float
    """Mean number of items that ran at a time."""
    peak_memory_bytes: int
    switches_per_item: float
    failures: Counter[str]
    executions: int
    """Items of all laps that ran, whether they succeeded or failed."""
    waiting_share: float
    main_cpu_s_per_item: float | None
    """CPU seconds of the workers' main processes per item; ``None`` if a lap does not hold it."""

    @property
    def failed_share(self) -> float:
        """Share of the executed items that failed."""
        return self.failures.total() / max(self.executions, 1)

    @property
    def executions_per_s(self) -> float:
        """Executions per second; failed items count, since they cost as much."""
        return self.items_per_s / max(1 - self.failed_share, 1 / max(self.executions, 1))

    @property
    def cpu_cores(self) -> float:
        """CPU seconds per second of all worker processes."""
        return self.executions_per_s * self.cpu_s_per_item

    @property
    def main_cpu_share(self) -> float | None:
        """CPU seconds per second of each worker's main process; ``None`` if that is not known."""
        if self.main_cpu_s_per_item is None:
            return None
        return self.executions_per_s * self.main_cpu_s_per_item / self.candidate.workers

    def to_json(self) -> dict[str, Any]:
        """The summary as a JSON object, together with the candidate."""
        return {
            **self.candidate.to_json(),
            "items_per_s": self.items_per_s,
            "ci95": self.ci95,
            "failures": dict(self.failures),
            "cpu_s_per_item": self.cpu_s_per_item,
            "peak_memory_bytes": self.peak_memory_bytes,
            "waiting_share": self.waiting_share,
            "waiting_s": dict(zip(PERCENTILE_NAMES, self.waiting_s, strict=True)),
            "running_s": dict(zip(PERCENTILE_NAMES, self.running_s, strict=True)),
            "switches_per_item": self.switches_per_item,
            "laps": self.laps,
        }


def summarize(race: Race) -> list[CandidateSummary]:
    """Summaries of all candidates, the fastest first."""
    summaries = [_summary(race, candidate) for candidate in race.candidates]
    return sorted(summaries, key=lambda summary: -summary.items_per_s)


def laps_of(race: Race, candidate: Candidate, kind: Kind | None = None) -> list[Lap]:
    """Laps of one candidate, of one kind or of all kinds."""
    return [lap for lap in race.laps if lap.candidate == candidate and kind in (None, lap.kind)]


def final_speeds(race: Race, candidate: Candidate) -> list[float]:
    """Items/s of a candidate in each round of the finals."""
    return [lap.items_per_s for lap in laps_of(race, candidate, "final")]


def is_busy(race: Race) -> bool:
    """Whether other processes left the race too few of its cores."""
    return race.cores_left < BUSY_BELOW * race.cores


def count_failures(laps: Sequence[Lap]) -> Counter[str]:
    """Number of failed items of these laps by the name of the exception."""
    total: Counter[str] = Counter()
    for lap in laps:
        total.update(lap.failures)
    return total


def waiting_share_of(laps: Sequence[Lap]) -> float:
    """Share of the running time in which a thread neither computed nor waited for a core."""
    total_s = fsum(lap.running_total_s for lap in laps)
    busy_s = fsum(lap.own_cpu_s + lap.core_wait_s for lap in laps)
    return _clamp(1 - busy_s / total_s) if total_s else 0.0


def _summary(race: Race, candidate: Candidate) -> CandidateSummary:
    all_laps = laps_of(race, candidate)
    laps = _comparable_laps(race, candidate)
    executions = sum(lap.executions for lap in laps) or 1
    speeds = [lap.items_per_s for lap in laps]
    wall_s = fsum(lap.wall_s for lap in laps) or 1e-9
    switches = sum(lap.voluntary_switches + lap.involuntary_switches for lap in laps)
    main_cpu_s = [lap.main_cpu_s for lap in laps if lap.main_cpu_s is not None]
    return CandidateSummary(
        candidate=candidate,
        laps=len(laps),
        items_per_s=median(speeds),
        ci95=confidence_interval(speeds),
        waiting_s=_medians([lap.waiting_s for lap in laps]),
        running_s=_medians([lap.running_s for lap in laps]),
        cpu_s_per_item=fsum(lap.cpu_s for lap in laps) / executions,
        cores_used=fsum(lap.cpu_s + lap.core_wait_s for lap in laps) / wall_s,
        overlap=fsum(lap.running_total_s for lap in laps) / wall_s,
        peak_memory_bytes=max(lap.peak_memory_bytes for lap in all_laps),
        switches_per_item=switches / executions,
        failures=count_failures(all_laps),
        executions=sum(lap.executions for lap in all_laps),
        waiting_share=_waiting_share(race, candidate, laps),
        main_cpu_s_per_item=fsum(main_cpu_s) / executions if len(main_cpu_s) == len(laps) else None,
    )


def _comparable_laps(race: Race, candidate: Candidate) -> list[Lap]:
    """Laps of one kind: finals if there are enough for an interval, else search laps, else base.

    Laps of different kinds differ in length, and in the number of workers that run beside them.
    If no kind has enough laps, the kind with the most laps is taken; base laps, beside which no
    other workers run, only if there are no others.
    """
    by_kind = [laps_of(race, candidate, kind) for kind in KINDS]
    enough = [laps for laps in by_kind if len(laps) >= MIN_VALUES]
    *beside_others, base = by_kind
    return enough[0] if enough else max(beside_others, key=len) or base


def _waiting_share(race: Race, candidate: Candidate, laps: Sequence[Lap]) -> float:
    """Waiting share of a candidate, as far as it can be measured under its pool.

    The share is measured for items in processes of their own. A thread that waits for the GIL,
    or a greenlet that waits for its turn, looks like an I/O wait, so for their pools the share is
    at most that of the base laps, in which one item runs at a time.
    """
    if candidate.pool in {"prefork", "solo"}:
        return waiting_share_of(laps)
    upper_bound = waiting_share_of(race.base)
    if candidate.pool == "threads":
        return min(upper_bound, waiting_share_of(laps))
    total_s = fsum(lap.running_total_s for lap in laps)
    if not total_s:
        return 0.0
    return min(upper_bound, _clamp(1 - fsum(lap.cpu_s for lap in laps) / total_s))


def _medians(rows: Sequence[Sequence[float]]) -> list[float]:
    """Median of each column."""
    return [median(column) for column in zip(*rows, strict=True)]


def _clamp(value: float) -> float:
    """The value, limited to the range from 0 to 1."""
    return min(1.0, max(0.0, value))
