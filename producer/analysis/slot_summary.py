"""The share of each slot in a run: chunks, busy and idle time. Pure."""

from collections import defaultdict
from dataclasses import dataclass
from math import fsum

from poolrace.producer.analysis.timeline import placed
from poolrace.producer.analysis.utilisation import MAX_ROWS, Key
from poolrace.producer.results.natural_order import natural_key
from poolrace.producer.results.run import ChunkRecord, Run


@dataclass(frozen=True)
class SlotSummary:
    """The share of one slot, or of all slots of a host, in a run. Times in seconds.

    The fields are keys of the figures of a single run.
    """

    host: str
    slot: str
    """Name of the slot; empty for all slots of the host together."""
    slots: int
    """Number of slots: 1, or all of the host that ran chunks."""
    chunks: int
    indices: int
    busy_s: float
    """Seconds in which chunks computed or waited as the workload asked."""
    idle_s: float | None
    """Seconds of the run in which no chunk ran; ``None`` unless all chunks are recorded."""


def slot_summaries(run: Run) -> list[SlotSummary]:
    """One summary per slot, or per host with more than ``MAX_ROWS`` slots; in natural order."""
    by_slot = sum(map(len, run.shares.values())) <= MAX_ROWS
    ran_s = _ran_s(run)
    return [
        _summary(run, host, slots, ran_s)
        for host in sorted(run.shares, key=natural_key)
        for slots in (
            ([slot] for slot in sorted(run.shares[host], key=natural_key))
            if by_slot
            else ([*run.shares[host]],)
        )
    ]


def counted_records(run: Run) -> list[ChunkRecord] | None:
    """The records of the chunks that were counted; ``None`` unless all of them are recorded."""
    counted = [record for record in run.records if record.mark != "duplicate"]
    return counted if counted and len(counted) == run.chunks else None


def _ran_s(run: Run) -> dict[Key, float] | None:
    """Seconds in which each slot ran chunks, by host and slot; ``None`` if that is not known."""
    if counted_records(run) is None:
        return None
    seconds: dict[Key, float] = defaultdict(float)
    for record, began_s, ended_s in placed(run.records, run.elapsed_s):
        seconds[record.host, record.slot] += ended_s - began_s
    return seconds


def _summary(run: Run, host: str, slots: list[str], ran_s: dict[Key, float] | None) -> SlotSummary:
    shares = [run.shares[host][slot] for slot in slots]
    idle_s = None
    if ran_s is not None:
        idle_s = fsum(max(0.0, run.elapsed_s - ran_s[host, slot]) for slot in slots)
    return SlotSummary(
        host=host,
        slot=slots[0] if len(slots) == 1 else "",
        slots=len(slots),
        chunks=sum(share.chunks for share in shares),
        indices=sum(share.indices for share in shares),
        busy_s=fsum(share.busy_s for share in shares),
        idle_s=idle_s,
    )
