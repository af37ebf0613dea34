"""Report of a race: table and notes."""

from typing import Any

from poolrace.producer.analysis.race_gaps import because
from poolrace.producer.analysis.race_summary import CandidateSummary
from poolrace.producer.analysis.race_verdict import Verdict
from poolrace.producer.reports.views.column import Column, columns
from poolrace.producer.reports.views.race_recommendation import mib
from poolrace.producer.results.race import Race

TABLE = (
    *columns("candidate", "items/s", "95 % from", "to", priorities=(0, 0, 1, 1)),
    *(Column("waiting p50", 3, "waiting p50 ms"), Column("p95", 5), Column("p99 ms", 5)),
    *(Column("running p50", 2, "running p50 ms"), Column("p95", 5), Column("p99 ms", 5)),
    *columns(
        "CPU ms/item", "peak MiB", "switches/item", "waits", "failed", priorities=(2, 1, 6, 4, 0)
    ),
)
"""Columns of the table."""

COLUMNS = (
    "pool", "concurrency", "workers", "prefetch", "max_tasks", "kind", "round", "items", "failed",
    "items_per_s", "wall_s", "waiting_p50_s", "waiting_p95_s", "waiting_p99_s", "running_p50_s",
    "running_p95_s", "running_p99_s", "running_total_s", "own_cpu_s", "core_wait_s", "cpu_s",
    "peak_memory_bytes", "voluntary_switches", "involuntary_switches",
)  # fmt: skip


def summary(race: Race) -> str:
    """One line that says which task was raced, and how often it was executed."""
    number = len(race.candidates)
    candidates = "candidate" if number == 1 else "candidates"
    return (
        f"{race.task} of {race.app}, {race.items} different item(s), executed"
        f" {race.executions:,} times by {number} {candidates}"
    )


def cells(verdict: Verdict) -> list[tuple[str, ...]]:
    """Table rows, one per candidate, in the columns of ``TABLE``."""
    return [_row(candidate) for candidate in verdict.summaries]


def _row(row: CandidateSummary) -> tuple[str, ...]:
    low, high = (f"{speed:.4g}" for speed in row.ci95) if row.ci95 else ("-", "-")
    return (
        str(row.candidate),
        f"{row.items_per_s:.4g}",
        low,
        high,
        *(f"{1000 * seconds:.4g}" for seconds in (*row.waiting_s, *row.running_s)),
        f"{1000 * row.cpu_s_per_item:.3g}",
        f"{mib(row):.0f}",
        f"{row.switches_per_item:.1f}",
        f"{row.waiting_share:.0%}",
        str(row.failures.total()),
    )


def notes(race: Race) -> list[str]:
    """Sentences about the end of each pool's search and the candidates that were left out."""
    measured = {candidate.pool for candidate in race.candidates}
    return [
        *(
            f"{pool}: concurrency was not raised further, because {because(race, pool, reason)}"
            if pool in measured
            else f"{pool} was not measured, because {because(race, pool, reason)}"
            for pool, reason in race.ended.items()
        ),
        *(
            f"{name} was left out, because {because(race, name, reason)}"
            for name, reason in race.left_out.items()
        ),
    ]


def raw(race: Race) -> list[list[Any]]:
    """Raw values of all laps, in the columns of ``COLUMNS``."""
    return [
        [
            *lap.candidate.to_json().values(),
            *(lap.kind, lap.round, lap.items, sum(lap.failures.values())),
            *(lap.items_per_s, lap.wall_s, *lap.waiting_s, *lap.running_s),
            *(lap.running_total_s, lap.own_cpu_s, lap.core_wait_s, lap.cpu_s),
            *(lap.peak_memory_bytes, lap.voluntary_switches, lap.involuntary_switches),
        ]
        for lap in race.laps
    ]
