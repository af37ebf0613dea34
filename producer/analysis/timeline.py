"""The timeline of a run: its chunks placed on the rows of their slots, by the producer's clock.

Pure. A run with few chunks has a bar per chunk; a run with many has bands of utilisation, which
cover the whole run.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from poolrace.producer.analysis.utilisation import (
    MAX_ROWS,
    Key,
    UtilisationSum,
    by_host,
    merged,
    of_all_hosts,
)
from poolrace.producer.results.natural_order import natural_key
from poolrace.producer.results.run import ChunkMark, ChunkRecord, EventKind, Run, Utilisation
from poolrace.workers.chunks import Chunk

MAX_BARS = 1500
"""Number of bars of a timeline, at most; a run stores fewer records."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a timeline: one slot, one host, or all hosts."""

    host: str
    """Name of the host; empty for all hosts together."""
    slot: str
    """Name of the slot; empty for all slots of the host together."""
    label: str
    idle_s: float | None
    """Seconds in which the slot ran no chunk; ``None`` if unknown, and for several slots."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A chunk on the row of its slot. Times in seconds since the start of the run."""

    row: int
    start: int
    stop: int
    host: str
    slot: str
    sent_s: float | None
    began_s: float
    ended_s: float
    cpu_s: float | None
    waited_s: float | None
    mark: ChunkMark


@dataclass(frozen=True, slots=True)
class Band:
    """The utilisation of one row in one stretch of time."""

    row: int
    from_s: float
    to_s: float
    utilisation: float
    """Busy share of the row's slots, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An event at a time; ``row`` is the first row of its host, ``None`` if there is none."""

    at_s: float
    kind: EventKind
    text: str
    host: str
    row: int | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The rows of a run with their bars and bands, and its events."""

    elapsed_s: float
    rows: list[Row]
    bars: list[Bar]
    bands: list[Band]
    marks: list[Mark]
    whole: bool
    """Whether there is a bar for every chunk; if not, the bands cover the whole run. A file of an
    older version may hold the records of the first chunks only: then there are no bands."""


def timeline_of(run: Run) -> Timeline:
    """The timeline of a run.

    Rows are slots, up to ``MAX_ROWS`` of them; otherwise hosts, otherwise all hosts together. Bars
    are on rows of slots only. A run whose records are not complete has bands, if its file holds
    the utilisation.
    """
    keys = _keys(run)
    positions = {key: number for number, key in enumerate(keys)}
    by_slot = not keys or keys[0][1] != ""
    bars = [
        _bar(positions[record.host, record.slot], record, began_s, ended_s)
        for record, began_s, ended_s in (placed(run.records, run.elapsed_s) if by_slot else ())
        if (record.host, record.slot) in positions
    ]
    bars = bars[:: max(1, -(-len(bars) // MAX_BARS))]
    whole = by_slot and sum(bar.mark != "duplicate" for bar in bars) == run.chunks
    idle = _idle_s(run, len(keys), bars) if whole else [None] * len(keys)
    return Timeline(
        elapsed_s=run.elapsed_s,
        rows=[Row(*key, _label(key, run), idle_s) for key, idle_s in zip(keys, idle, strict=True)],
        bars=bars,
        bands=[] if whole else _bands(run, positions),
        marks=_marks(run, keys),
        whole=whole,
    )


def placed(
    records: Sequence[ChunkRecord], elapsed_s: float = inf
) -> list[tuple[ChunkRecord, float, float]]:
    """The records with the times at which their chunks began and ended, in order of these times.

    The chunks of one batch arrive together, so each chunk of a slot ends no later than the next
    one of the slot begins. No chunk begins before it was sent, or before the run, and none ends
    after ``elapsed_s``.
    """
    of_slot: dict[Key, list[ChunkRecord]] = defaultdict(list)
    for record in records:
        of_slot[record.host, record.slot].append(record)
    spans = []
    for slot_records in of_slot.values():
        next_began_s = elapsed_s
        for record in sorted(slot_records, key=lambda record: record.arrived_s)[::-1]:
            ended_s = min(record.arrived_s, next_began_s)
            earliest_s = min(record.sent_s or 0.0, ended_s)
            next_began_s = max(ended_s - record.duration_s, earliest_s)
            spans.append((record, next_began_s, ended_s))
    return sorted(spans, key=lambda span: (span[1], span[2], span[0].start))


def utilisation_of(run: Run) -> Utilisation | None:
    """The utilisation of a run; that of an older version's run is made from its records.

    ``None`` if these are not complete.
    """
    if run.utilisation is not None:
        return run.utilisation
    if not run.records or len(run.records) < run.chunks:
        return None
    duration_s: dict[Key, float] = defaultdict(float)
    for record in run.records:
        duration_s[record.host, record.slot] += record.duration_s
    total = UtilisationSum()
    for record, began_s, ended_s in placed(run.records, run.elapsed_s):
        busy_s = _busy_s(record, run, duration_s[record.host, record.slot])
        total.add(record.host, record.slot, began_s, ended_s, busy_s)
    return total.total(run.elapsed_s)


def _keys(run: Run) -> list[Key]:
    """Host and slot of each row, in natural order."""
    keys = {(host, slot) for host, shares in run.shares.items() for slot in shares}
    stored = run.utilisation.rows if run.utilisation else []
    if len(keys) > MAX_ROWS or any(not row.slot for row in stored):
        keys = {by_host(key) for key in keys}
    if len(keys) > MAX_ROWS or any(not row.host for row in stored):
        keys = {of_all_hosts(key) for key in keys}
    return sorted(keys, key=lambda key: (natural_key(key[0]), natural_key(key[1])))


def _bar(row: int, record: ChunkRecord, began_s: float, ended_s: float) -> Bar:
    return Bar(
        row, record.start, record.stop, record.host, record.slot, record.sent_s, began_s, ended_s,
        record.cpu_s, record.waited_s, record.mark,
    )  # fmt: skip


def _label(key: Key, run: Run) -> str:
    host, slot = key
    if not host:
        return f"all {sum(map(len, run.shares.values()))} slots"
    if not slot:
        return f"{host}: {len(run.shares[host])} slots"
    return f"{host} {slot}" if len(run.shares) > 1 else slot


def _idle_s(run: Run, rows: int, bars: Sequence[Bar]) -> list[float | None]:
    """Seconds in which each row has no bar."""
    ran_s = [0.0] * rows
    for bar in bars:
        ran_s[bar.row] += bar.ended_s - bar.began_s
    return [max(0.0, run.elapsed_s - seconds) for seconds in ran_s]


def _bands(run: Run, positions: dict[Key, int]) -> list[Band]:
    """The utilisation of each row over time, or of fewer rows if no more is stored."""
    utilisation = utilisation_of(run)
    if utilisation is None:
        return []
    rows = {(row.host, row.slot): row.busy_s for row in utilisation.rows}
    for key_of in (by_host, of_all_hosts):
        if not rows.keys() <= positions.keys():
            rows = merged(rows, key_of)
    if not rows:
        return []
    edges_s = [number * utilisation.bin_s for number in range(1 + max(map(len, rows.values())))]
    return [
        Band(positions[key], from_s, min(to_s, run.elapsed_s), min(1.0, busy_s / available_s))
        for key, row in rows.items()
        if key in positions
        for (from_s, to_s), busy_s in zip(pairwise(edges_s), row, strict=False)
        if (available_s := _slots(key, run) * (min(to_s, run.elapsed_s) - from_s)) > 0
    ]


def _busy_s(record: ChunkRecord, run: Run, slot_duration_s: float) -> float:
    """Seconds in which a chunk computed or waited.

    A file of an older version holds them per slot: each chunk of the slot gets a part of them in
    proportion to its duration.
    """
    if record.cpu_s is not None and record.waited_s is not None:
        return record.cpu_s + record.waited_s
    share = run.shares.get(record.host, {}).get(record.slot)
    if share is None or not slot_duration_s:
        return record.duration_s
    return record.duration_s * share.busy_s / slot_duration_s


def _slots(key: Key, run: Run) -> int:
    host, slot = key
    if slot:
        return 1
    return len(run.shares[host]) if host else sum(map(len, run.shares.values()))


def _marks(run: Run, keys: Sequence[Key]) -> list[Mark]:
    """The events of the run; without rows of slots also its marked chunks."""
    first_rows = {host: number for number, (host, _) in reversed(list(enumerate(keys)))}
    marks = [
        Mark(event.at_s, event.kind, event.what, event.host, _row_of(event.host, first_rows))
        for event in run.events
    ]
    if keys and not keys[0][1]:
        marks += _marked_chunks(run.records, first_rows)
    return sorted(marks, key=lambda mark: mark.at_s)


def _row_of(host: str, first_rows: dict[str, int]) -> int | None:
    return first_rows.get(host) if host else None


def _marked_chunks(records: Iterable[ChunkRecord], rows: dict[str, int]) -> Iterable[Mark]:
    for record in records:
        if record.mark:
            kind: EventKind = "" if record.mark == "duplicate" else record.mark
            text = f"chunk {Chunk(record.start, record.stop)}: {record.mark}"
            yield Mark(record.arrived_s, kind, text, record.host, rows.get(record.host))
