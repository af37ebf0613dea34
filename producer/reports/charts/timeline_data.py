"""Data of a timeline's chart: one record per row with lists of values, which Vega flattens.

A record per chunk would repeat each key and each name: 1,000 chunks would take 180 kB, not 60 kB.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from poolrace.producer.analysis.timeline import Bar, Timeline
from poolrace.producer.reports.charts.words import labels, seconds, shortened

DIGITS = 6
"""Number of decimals of a second: microseconds."""

NAME = 200
"""Number of characters of a name or text in a tooltip."""

MAX_MARKS = 500
"""Number of events that are drawn, and of marked chunks."""

EVENTS = "events"
"""Label of the row of events that belong to no host."""

HOST_EVENTS = ("joined", "silent", "left")
"""Kinds of events that concern all slots of a host."""

CHUNK_COLUMNS = ("start", "stop", "sent", "began", "ended", "cpu", "waited", "mark")
"""Names of the lists of a row's chunks."""

BAND_COLUMNS = ("from_s", "to_s", "utilisation")
"""Names of the lists of a row's bands."""

Record = dict[str, Any]


def row_labels(timeline: Timeline) -> list[str]:
    """The label of the row of events, then those of the timeline's rows; all are different."""
    return labels([EVENTS, *(row.label for row in timeline.rows)])


def bar_rows(timeline: Timeline, names: Sequence[str]) -> list[Record]:
    """Records of the rows with lists of their chunks; ``names`` are the labels of the rows."""
    records = _records(timeline, names, CHUNK_COLUMNS)
    for bar in timeline.bars:
        times = (bar.sent_s, bar.began_s, bar.ended_s, bar.cpu_s, bar.waited_s)
        values = (bar.start, bar.stop, *map(_rounded, times), bar.mark)
        for column, value in zip(CHUNK_COLUMNS, values, strict=True):
            records[bar.row][column].append(value)
    return [record for record in records if record["start"]]


def band_rows(timeline: Timeline, names: Sequence[str]) -> list[Record]:
    """Records of the rows with lists of their bands; equal neighbours are one band."""
    records = _records(timeline, names, BAND_COLUMNS)
    for band in timeline.bands:
        record = records[band.row]
        from_s, to_s = _rounded(band.from_s), _rounded(band.to_s)
        utilisation = round(band.utilisation, 2)
        if record["to_s"][-1:] == [from_s] and record["utilisation"][-1] == utilisation:
            record["to_s"][-1] = to_s
        else:
            for column, value in zip(BAND_COLUMNS, (from_s, to_s, utilisation), strict=True):
                record[column].append(value)
    return [record for record in records if record["from_s"]]


def mark_rows(timeline: Timeline, names: Sequence[str]) -> list[Record]:
    """Records of events and of marked chunks.

    A host that joins, falls silent or leaves has a mark on each of its rows. Other events are on
    the row of events, marked chunks on the rows of their slots.
    """
    records = []
    for mark in timeline.marks[:MAX_MARKS]:
        rows = _rows_of_host(timeline, mark.host) if mark.kind in HOST_EVENTS else []
        record = _mark(mark.at_s, mark.kind or "event", mark.text, mark.host)
        records += [
            {**record, "label": label} for label in [names[row] for row in rows] or [EVENTS]
        ]
    marked = [bar for bar in timeline.bars if bar.mark]
    for bar in marked[:MAX_MARKS]:
        text = f"chunk [{bar.start:,}, {bar.stop:,}): {bar.mark}"
        records.append({**_mark(bar.began_s, bar.mark, text, bar.host), "label": names[bar.row]})
    return records


def gone_rows(timeline: Timeline, names: Sequence[str], last_s: float) -> list[Record]:
    """Records of the stretches of time in which a host was silent or had left, one per row.

    They end when the host joins again, when one of its chunks begins, or at ``last_s``.
    """
    return [
        {
            "label": names[row],
            "from_s": _rounded(mark.at_s),
            "to_s": _rounded(_back_s(timeline, mark.host, mark.at_s, last_s)),
        }
        for mark in timeline.marks[:MAX_MARKS]
        if mark.kind in ("silent", "left") and mark.host
        for row in _rows_of_host(timeline, mark.host)
    ]


def idle_rows(timeline: Timeline, names: Sequence[str]) -> list[Record]:
    """Records of the rows with the text about their idle time."""
    return [
        {"label": label, "idle": f"idle {seconds(row.idle_s)}"}
        for row, label in zip(timeline.rows, names, strict=True)
        if row.idle_s is not None
    ]


def held_up_s(bar: Bar) -> float:
    """Seconds in which a chunk neither computed nor waited: core, GIL or event loop were busy."""
    return max(0.0, bar.ended_s - bar.began_s - (bar.cpu_s or 0.0) - (bar.waited_s or 0.0))


def _rows_of_host(timeline: Timeline, host: str) -> list[int]:
    return [number for number, row in enumerate(timeline.rows) if row.host == host]


def _back_s(timeline: Timeline, host: str, since_s: float, last_s: float) -> float:
    joined = (mark.at_s for mark in timeline.marks if mark.host == host and mark.kind == "joined")
    began = (bar.began_s for bar in timeline.bars if bar.host == host)
    return min((at_s for at_s in (*joined, *began) if at_s > since_s), default=last_s)


def _records(timeline: Timeline, names: Iterable[str], columns: Iterable[str]) -> list[Record]:
    return [
        {
            "label": label,
            "host": shortened(row.host, NAME),
            "slot": shortened(row.slot, NAME),
            **{column: [] for column in columns},
        }
        for row, label in zip(timeline.rows, names, strict=True)
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
