"""Data of a timeline's chart: one record per row with lists of values, which Vega flattens.

A record per chunk would repeat each key and each name: 1,000 chunks would take 180 kB, not 60 kB.
"""

from typing import Any

from poolrace.producer.analysis.timeline import Timeline
from poolrace.producer.reports.charts.words import shortened

DIGITS = 6
"""Number of decimals of a second: microseconds."""

NAME = 200
"""Number of characters of a name or text in a tooltip."""

MAX_MARKS = 500
"""Number of events that are drawn."""

HOST_EVENTS = ("joined", "silent", "left", "reconnected")
"""Kinds of events that concern all slots of a host."""

Record = dict[str, Any]


def bar_rows(timeline: Timeline, labels: list[str]) -> tuple[list[Record], list[str]]:
    """Records of the rows with their chunks, and the names of their lists."""
    columns = ["start", "stop", "sent", "began", "ended", "cpu", "waited", "mark"]
    records = _records(timeline, labels, columns)
    for bar in timeline.bars:
        times = (bar.sent_s, bar.began_s, bar.ended_s, bar.cpu_s, bar.waited_s)
        values = (bar.start, bar.stop, *map(_rounded, times), bar.mark)
        for column, value in zip(columns, values, strict=True):
            records[bar.row][column].append(value)
    return [record for record in records if record["start"]], columns


def band_rows(timeline: Timeline, labels: list[str]) -> tuple[list[Record], list[str]]:
    """Records of the rows with their bands, and the names of their lists; equal neighbours are one
    band."""
    columns = ["from_s", "to_s", "utilisation"]
    records = _records(timeline, labels, columns)
    for band in timeline.bands:
        record = records[band.row]
        from_s, to_s = _rounded(band.from_s), _rounded(band.to_s)
        utilisation = round(band.utilisation, 2)
        if record["to_s"][-1:] == [from_s] and record["utilisation"][-1] == utilisation:
            record["to_s"][-1] = to_s
        else:
            for column, value in zip(columns, (from_s, to_s, utilisation), strict=True):
                record[column].append(value)
    return [record for record in records if record["from_s"]], columns


def mark_rows(timeline: Timeline, labels: list[str]) -> tuple[list[Record], list[Record]]:
    """Marks that belong to rows, and marks that belong to the whole run.

    A host that joins, falls silent or leaves has a mark on the rows of all its slots.
    """
    placed, general = [], []
    for mark in timeline.marks[:MAX_MARKS]:
        rows = [] if mark.row is None else [mark.row]
        if mark.row is None and mark.host and mark.kind in HOST_EVENTS:
            rows = [i for i, row in enumerate(timeline.rows) if row.host == mark.host]
        record = _mark(mark.at_s, mark.kind or "event", mark.text, mark.host)
        placed += [{**record, "label": labels[row]} for row in rows]
        general += [] if rows else [record]
    for bar in timeline.bars:
        if bar.mark:
            text = f"chunk [{bar.start:,}, {bar.stop:,}): {bar.mark}"
            record = _mark(bar.began_s, bar.mark, text, bar.host)
            placed.append({**record, "label": labels[bar.row]})
    return placed, general


def _records(timeline: Timeline, labels: list[str], columns: list[str]) -> list[Record]:
    return [
        {
            "label": label,
            "host": shortened(row.host, NAME),
            "slot": shortened(row.slot, NAME),
            **{column: [] for column in columns},
        }
        for row, label in zip(timeline.rows, labels, strict=True)
    ]


def _mark(at_s: float, kind: str, text: str, host: str) -> Record:
    return {
        "at_s": _rounded(at_s),
        "kind": kind,
        "text": shortened(text, NAME),
        "host": shortened(host, NAME),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, DIGITS)
