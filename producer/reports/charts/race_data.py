"""Rows of the charts of a race: its candidates, laps, labels and marks. Pure."""

import re
from typing import Any

from poolrace.producer.analysis.race_gaps import because
from poolrace.producer.analysis.race_summary import CandidateSummary
from poolrace.producer.analysis.race_verdict import Verdict
from poolrace.producer.reports.charts.pools import POOL_COLOURS
from poolrace.producer.reports.charts.words import shortened
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.race import Lap, Race

NAME = 60
"""Number of characters of a candidate's name."""

LABEL = 26
"""Number of characters of a candidate's name beside its point."""

FAILED, LOST, GIVEN_UP = "items failed", "workers lost", "given up"
"""Kinds of marks, as the legend names them."""

CUT_SHORT = "a lap was ended early, because it had shown that the candidate is slow"
"""Reason of a candidate that was given up."""

LEFT_OUT = re.compile(r"(?:(\d{1,4}) x )?([a-z][a-z0-9_-]*):(\d{1,9})\b")
"""The name of a candidate: workers, pool and concurrency."""

Row = dict[str, Any]


def series_of(candidate: Candidate) -> str:
    """The candidate's name without its concurrency: the candidates of one line."""
    name = str(candidate).replace(f":{candidate.concurrency}", "", 1)
    return shortened(name, NAME)


def candidate_rows(verdict: Verdict) -> list[Row]:
    """One row per candidate: medians, and the interval if there are at least three laps."""
    return [_candidate_row(row) for row in verdict.summaries]


def lap_rows(race: Race) -> list[Row]:
    """One row per lap that was not lost."""
    return [_lap_row(lap) for lap in race.laps if not lap.lost]


def label_rows(verdict: Verdict) -> list[Row]:
    """Lines of text on the fastest and the recommended candidate, as far as they are known."""
    named: list[tuple[list[str], CandidateSummary]] = []
    fastest, recommended = verdict.fastest, verdict.recommended
    if verdict.conclusive and verdict.compared and fastest == recommended:
        named = [(["recommended and fastest:", _short(fastest)], fastest)]
    else:
        if verdict.compared:
            named.append(([f"fastest: {_short(fastest)}"], fastest))
        if verdict.conclusive:
            named.append(([f"recommended: {_short(recommended)}"], recommended))
    return [{**_candidate_row(row), "text": text} for text, row in named if row.items_per_s > 0]


def best_rows(verdict: Verdict) -> list[Row]:
    """The candidates than which no other one is faster with less memory, by memory."""
    best: list[Row] = []
    rows = sorted(candidate_rows(verdict), key=lambda row: (row["memory_mib"], -row["items_per_s"]))
    for row in rows:
        if not best or row["items_per_s"] > best[-1]["items_per_s"]:
            best.append(row)
    return best


def series_of_all(verdict: Verdict) -> dict[str, Candidate]:
    """The name of each line -> one of its candidates, in the order of pools."""
    pools = list(POOL_COLOURS)
    candidates = sorted(
        (row.candidate for row in verdict.summaries),
        key=lambda one: (
            pools.index(one.pool) if one.pool in pools else len(pools),
            one.workers,
            series_of(one),
        ),
    )
    series: dict[str, Candidate] = {}
    for candidate in candidates:
        series.setdefault(series_of(candidate), candidate)
    return series


def mark_rows(verdict: Verdict) -> list[Row]:
    """One row per candidate that failed or was given up, with the reason.

    A candidate without laps is marked at 0 items/s above its number of slots.
    """
    race, rows = verdict.race, []
    left_out = dict(race.left_out)
    for row in verdict.summaries:
        name = str(row.candidate)
        reason = left_out.pop(name, None)
        if kind := _kind(race, row, given_up=reason is not None):
            text = because(race, name, reason) if reason else _trouble(kind, row)
            rows.append({**_candidate_row(row), "kind": kind, "reason": shortened(text, 120)})
    for name, reason in left_out.items():
        if found := LEFT_OUT.match(name):
            slots = int(found[1] or 1) * int(found[3])
            text = shortened(because(race, name, reason), 120)
            given_up = {"candidate": shortened(name, NAME), "kind": GIVEN_UP, "reason": text}
            rows.append({**given_up, "slots": slots, "series": "", "items_per_s": 0.0})
    return rows


def _short(row: CandidateSummary) -> str:
    return shortened(str(row.candidate), LABEL)


def _candidate_row(row: CandidateSummary) -> Row:
    low, high = row.ci95 or (None, None)
    return {
        "candidate": shortened(str(row.candidate), NAME),
        "series": series_of(row.candidate),
        "slots": row.candidate.slots,
        "several": row.candidate.workers > 1,
        "number": _number(row.candidate),
        "items_per_s": row.items_per_s,
        "low": low,
        "high": high,
        "laps": row.laps,
        "memory_mib": row.peak_memory_bytes / 2**20,
        "cpu_ms": 1000 * row.cpu_s_per_item,
        "waits": row.waiting_share,
        "waited_ms": 1000 * row.waiting_s[0],
        "failed": row.failures.total(),
    }


def _number(candidate: Candidate) -> str:
    """The concurrency, with the number of workers if there are several."""
    workers = f"{candidate.workers} x " if candidate.workers > 1 else ""
    return f"{workers}{candidate.concurrency}"


def _lap_row(lap: Lap) -> Row:
    return {
        "candidate": shortened(str(lap.candidate), NAME),
        "series": series_of(lap.candidate),
        "slots": lap.candidate.slots,
        "items_per_s": lap.items_per_s,
        "lap": f"{lap.kind} {lap.round}",
        "memory_mib": lap.peak_memory_bytes / 2**20,
        "cpu_ms": 1000 * lap.cpu_s / max(lap.executions, 1),
        "waited_ms": 1000 * lap.waiting_s[0],
        "failed": sum(lap.failures.values()),
    }


def _kind(race: Race, row: CandidateSummary, *, given_up: bool) -> str:
    laps = [lap for lap in race.laps if lap.candidate == row.candidate]
    if any(lap.lost for lap in laps):
        return LOST
    if row.failures:
        return FAILED
    return GIVEN_UP if given_up or any(lap.cut_short for lap in laps) else ""


def _trouble(kind: str, row: CandidateSummary) -> str:
    if kind == LOST:
        return "the workers ended or hung before a lap did"
    if kind == GIVEN_UP:
        return CUT_SHORT
    names = ", ".join(name for name, _ in row.failures.most_common(3))
    return f"{row.failures.total():,} of {row.executions:,} items failed: {names}"
