"""Trace events of a run: hosts are processes, slots are threads, chunks are slices.

The producer is a process of its own, from which a flow leads to each chunk, and back to it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from poolrace.producer.analysis.timeline import placed, utilisation_of
from poolrace.producer.analysis.utilisation import by_host, merged
from poolrace.producer.reports.trace.events import Event, TraceEvents, Track, nanoseconds
from poolrace.producer.results.natural_order import natural_key
from poolrace.producer.results.run import ChunkRecord, Run

MOMENT = 1000
"""Nanoseconds of a slice that sends or receives chunks. Its duration is not measured; a flow needs
a slice at each end. All chunks sent or received within this time share one slice."""

LARGEST_BITS = 256
"""Bits of the largest value that is shown."""

Tracks = dict[tuple[str, str], Track]
"""Host and slot -> the track."""


def add_run(trace: TraceEvents, run: Run, prefix: str = "") -> None:
    """Add the run, from time 0 on; ``prefix`` begins the names of its processes."""
    producer = trace.process(f"{prefix}producer")
    run_track = trace.thread(producer, "run")
    trace.slice(run_track, _title(run), (0, nanoseconds(run.elapsed_s)), _run_args(run))
    processes, tracks = _tracks(trace, run, prefix)
    _add_chunks(trace, run, producer, tracks)
    for event in run.events:
        track = processes.get(event.host, producer)
        args = {"kind": event.kind, "host": event.host}
        trace.instant(track, event.what, nanoseconds(event.at_s), _present(args))
    for host, at, busy in _busy_slots(run):
        trace.counter(processes.get(host, producer), "busy", at, {"slots": busy})


def _tracks(trace: TraceEvents, run: Run, prefix: str) -> tuple[dict[str, Track], Tracks]:
    """The processes of the hosts, and the tracks of their slots, in natural order."""
    keys = {(host, slot) for host, shares in run.shares.items() for slot in shares}
    keys |= {(record.host, record.slot) for record in run.records}
    processes: dict[str, Track] = {}
    tracks: Tracks = {}
    for host, slot in sorted(keys, key=lambda key: (natural_key(key[0]), natural_key(key[1]))):
        if host not in processes:
            processes[host] = trace.process(f"{prefix}{host}")
        tracks[host, slot] = trace.thread(processes[host], slot)
    return processes, tracks


def _add_chunks(trace: TraceEvents, run: Run, producer: Track, tracks: Tracks) -> None:
    """Add a slice for each recorded chunk, the sending and receiving slices, and the flows."""
    spans = [
        (record, nanoseconds(began_s), nanoseconds(ended_s))
        for record, began_s, ended_s in placed(run.records, run.elapsed_s)
    ]
    sent = [at for record, began, _ in spans if (at := _sent(record, began)) is not None]
    sender = _moments(trace, producer, "send", sent) if sent else producer
    receiver = _moments(trace, producer, "receive", (_received(record) for record in run.records))
    for record, began, ended in spans:
        track = tracks[record.host, record.slot]
        trace.slice(track, _chunk_title(record), (began, ended), _chunk_args(record, began))
        at = _sent(record, began)
        if at is not None:
            trace.flow("dispatch", (sender, at), (track, began))
        # Within the slice: its end is already the beginning of the next one.
        trace.flow("result", (track, max(began, ended - 1)), (receiver, _received(record)))


def _moments(trace: TraceEvents, producer: Track, name: str, times: Iterable[int]) -> Track:
    """A thread of the producer with one slice for all chunks of the same time."""
    track = trace.thread(producer, name)
    for at, chunks in sorted(Counter(times).items()):
        trace.slice(track, f"{name} {chunks}", (at, at + MOMENT), {"chunks": chunks})
    return track


def _sent(record: ChunkRecord, began: int) -> int | None:
    """Begin of the slice that sent the chunk; ``None`` if it is not known."""
    if record.sent_s is None or nanoseconds(record.sent_s) > began:
        return None
    return nanoseconds(record.sent_s) // MOMENT * MOMENT


def _received(record: ChunkRecord) -> int:
    """Begin of the slice that received the result, which is not before the end of the chunk."""
    return -(-nanoseconds(record.arrived_s) // MOMENT) * MOMENT


def _busy_slots(run: Run) -> Iterator[tuple[str, int, float]]:
    """Host, time and mean number of busy slots, for each change of a bin of the utilisation.

    The host is empty if the utilisation is stored for all hosts together.
    """
    utilisation = utilisation_of(run)
    if utilisation is None:
        return
    bin_s = utilisation.bin_s
    rows = merged({(row.host, row.slot): row.busy_s for row in utilisation.rows}, by_host)
    for (host, _), busy_s in sorted(rows.items(), key=lambda row: natural_key(row[0][0])):
        before = None
        for number, seconds in enumerate(busy_s):
            length_s = min(bin_s, run.elapsed_s - number * bin_s)
            busy = round(seconds / length_s, 3) if length_s > 0 else 0.0
            if length_s > 0 and busy != before:
                yield host, nanoseconds(number * bin_s), busy
                before = busy
        yield host, nanoseconds(run.elapsed_s), 0.0


def _title(run: Run) -> str:
    return f"{run.workload} under {run.model}"


def _run_args(run: Run) -> Event:
    return {
        "range": f"[{run.start}, {run.stop})",
        "value": _text(run.value),
        "exact": run.exact,
        "chunks": run.chunks,
        "recorded chunks": len(run.records),
        "slots": run.slots,
        "schedule": run.schedule,
        "elapsed_s": run.elapsed_s,
        "startup_s": run.startup_s,
        "cpu_s": run.cpu_s,
        "busy_s": run.busy_s,
        "efficiency": run.efficiency,
    }


def _chunk_title(record: ChunkRecord) -> str:
    """The range and the mark; digits do not change the colour that Perfetto gives to a name."""
    return f"[{record.start}, {record.stop}) {record.mark}".rstrip()


def _chunk_args(record: ChunkRecord, began: int) -> Event:
    queued_s = None
    if _sent(record, began) is not None and record.sent_s is not None:
        queued_s = max(0.0, round(began / 1e9 - record.sent_s, 9))
    return _present(
        {
            "range": f"[{record.start}, {record.stop})",
            "duration_s": record.duration_s,
            "cpu_s": record.cpu_s,
            "waited_s": record.waited_s,
            "queued_s": queued_s,
            "mark": record.mark,
            "value": None if record.value is None else _text(record.value),
        }
    )


def _text(value: int) -> str:
    """The value as text, which no reader rounds as it rounds a large number."""
    return str(value) if value.bit_length() <= LARGEST_BITS else "a big integer"


def _present(args: Mapping[str, Any]) -> Event:
    """The arguments that have a value."""
    return {name: value for name, value in args.items() if value not in (None, "")}
