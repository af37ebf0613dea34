"""The view of a single run: the shares of its slots, and sentences on its busy and idle time."""

from collections.abc import Iterator
from dataclasses import asdict, fields
from math import fsum
from typing import Any

from poolrace.producer.analysis.slot_summary import SlotSummary, counted_records, slot_summaries
from poolrace.producer.reports.views.column import columns
from poolrace.producer.reports.views.comparison import as_options
from poolrace.producer.results.run import ChunkRecord, Run
from poolrace.producer.results.single_run import SingleRun
from poolrace.workers.chunks import Chunk

TABLE = columns(
    "slot", "host", "chunks", "indices", "busy s", "idle s", priorities=(0, 1, 0, 2, 0, 0)
)
"""Columns of the table."""

COLUMNS = tuple(field.name for field in fields(ChunkRecord))
"""The fields of a chunk's record, which are the columns of the CSV report."""

CLEAR_SHARE = 0.9
"""Share of their running time in which chunks compute or wait; with less, the report says that they
had no core or no GIL. Two processes on two cores have 0.95 and more."""


def title(run: Run) -> str:
    """Workload, model and number of slots in one line."""
    return f"{run.workload} under {run.model}: one run on {_count(run.slots, 'slot')}"


def summary(single: SingleRun) -> str:
    """Workload, parameters, range, schedule, chunks and hosts, in one line."""
    run = single.run
    return (
        f"{run.workload}{as_options(run.parameters)} over {Chunk(run.start, run.stop)}"
        f" under {run.model}, {_count(run.chunks, 'chunk')} by schedule {run.schedule},"
        f" {_count(run.slots, 'slot')} of {_count(run.hosts, 'host')},"
        f" {_count(run.machines, 'machine')}"
    )


def cells(run: Run) -> list[tuple[str, ...]]:
    """One table row per slot, or per host if there are many slots, in the order of ``TABLE``."""
    return [
        (
            _slot_text(share),
            share.host,
            f"{share.chunks:,}",
            f"{share.indices:,}",
            f"{share.busy_s:.3f}",
            "-" if share.idle_s is None else f"{share.idle_s:.3f}",
        )
        for share in slot_summaries(run)
    ]


def exactness(run: Run) -> str:
    """The value, and whether it is exact, in one line."""
    if not run.exact:
        return f"NOT EXACT: the value is {run.value}; expected {run.expected}"
    return (
        f"value {run.value}, exact: every index was counted once ({run.duplicates} duplicate(s)"
        " ignored), and the value equals one that was computed independently"
    )


def findings(run: Run) -> list[str]:
    """Sentences on the time, on chunks without a core, and on the slot that was idle longest."""
    return [
        (
            f"The run took {run.elapsed_s:.3f} s, start-up of {run.startup_s:.2f} s not included,"
            f" at an efficiency of {run.efficiency:.2f}."
        ),
        *_cores(run),
        *_idle(run),
        *_unused(run),
        *_repeated(run),
    ]


def notes(run: Run) -> list[str]:
    """The events of the run."""
    return [f"at {event.at_s:.1f} s: {event.what}" for event in run.events]


def raw(run: Run) -> list[list[Any]]:
    """The records of the chunks, in the order of ``COLUMNS``."""
    return [[getattr(record, column) for column in COLUMNS] for record in run.records]


def figures(run: Run) -> dict[str, Any]:
    """The derived figures as a JSON object."""
    return {"slots": [asdict(share) for share in slot_summaries(run)]}


def _cores(run: Run) -> Iterator[str]:
    """A sentence if chunks neither computed nor waited for a part of the time that they took."""
    records = counted_records(run) or []
    ran_s = fsum(record.duration_s for record in records)
    used_s = fsum((record.cpu_s or 0.0) + (record.waited_s or 0.0) for record in records)
    if ran_s > 0 and all(record.cpu_s is not None for record in records):
        share = min(used_s / ran_s, 1.0)
        if share < CLEAR_SHARE:
            yield (
                f"Chunks computed or waited for {share:.0%} of the time in which they ran; for the"
                " rest they had no core, or another thread had the GIL."
            )


def _idle(run: Run) -> Iterator[str]:
    """A sentence on the slot that was idle longest."""
    idle = [(share.idle_s, share) for share in slot_summaries(run) if share.idle_s is not None]
    if len(idle) > 1:
        idle_s, share = max(idle, key=lambda pair: pair[0])
        place = f"slot {share.slot} of {share.host}" if share.slot else share.host
        yield f"Idle longest: {place}, {idle_s:.3f} s ({idle_s / share.slots / run.elapsed_s:.0%})."


def _unused(run: Run) -> Iterator[str]:
    """A sentence on the slots that ran no chunk."""
    unused = run.slots - sum(map(len, run.shares.values()))
    if unused > 0:
        yield f"{unused} of {_count(run.slots, 'slot')} ran no chunk."


def _repeated(run: Run) -> Iterator[str]:
    """A sentence on the chunks that were sent more than once, and on indices done before."""
    counts = {
        "retried": run.retries,
        "lost and sent again": run.resent,
        "copied to idle slots": run.backups,
    }
    texts = [f"{count} {text}" for text, count in counts.items() if count]
    if texts:
        yield f"Chunks sent more than once: {', '.join(texts)}."
    if run.resumed:
        yield f"{run.resumed:_} indices were done before this run."


def _slot_text(share: SlotSummary) -> str:
    return share.slot or f"all {share.slots}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
