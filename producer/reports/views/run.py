"""The text that ``producer run`` prints about one run."""

from collections.abc import Iterator, Sequence

from poolrace.producer.printable import printable
from poolrace.producer.results.natural_order import natural_key
from poolrace.producer.results.run import ChunkRecord, Run
from poolrace.workers.chunks import Chunk

MAX_PARTIALS = 10
"""Number of chunks up to which the partial of every chunk is shown."""

MAX_SLOTS = 4
"""Number of slots shown per host; ``--json`` has all of them."""

MAX_CHUNKS = 3
"""Number of chunks shown per slot; ``--json`` has all of them."""


def render(run: Run) -> str:
    """Value, exactness, figures, the shares of hosts and slots, and events."""
    whole = Chunk(run.start, run.stop)
    verdict = "exact" if run.exact else f"NOT EXACT, expected {run.expected}"
    size = f"{run.slots} slot(s) of {_hosts(run)}"
    cut = f"{run.chunks} chunk(s) by schedule {run.schedule}"
    switches = f"{run.voluntary_switches:,} voluntary, {run.involuntary_switches:,} involuntary"
    memory = f"{run.peak_memory_bytes / 2**20:.0f} MiB"
    lines = [
        f"{run.workload} over {whole} under {run.model}: {run.value}, {verdict}",
        f"  {run.elapsed_s:.3f} s on {size}, efficiency {run.efficiency:.2f}",
        f"  {cut}, {_repetitions(run)}; counted once: {_intervals(run)}",
        f"  CPU {run.cpu_s:.2f} s, context switches {switches}, peak memory {memory}",
        f"  start-up {run.startup_s:.2f} s, not included in the time",
    ]
    counted = [record for record in run.records if record.mark != "duplicate"]
    for host in sorted(run.shares, key=natural_key):
        lines += [f"  {line}" for line in _share(run, host, counted)]
    lines += [f"  at {event.at_s:.1f} s: {event.what}" for event in run.events]
    if 0 < run.chunks == len(counted) <= MAX_PARTIALS:
        partials = (
            f"{Chunk(record.start, record.stop)} = {_number(record.value)}" for record in counted
        )
        lines.append(f"  partials: {', '.join(partials)}")
        lines.append(f"  merged: {', '.join(_number(record.merged) for record in counted)}")
    return "\n".join((*map(printable, lines), ""))


def _repetitions(run: Run) -> str:
    counts = {
        f"{run.retries} retried": run.retries,
        f"{run.resent} lost and sent again": run.resent,
        f"{run.backups} copied to idle slots": run.backups,
        f"{run.resumed:_} indices done before": run.resumed,
    }
    texts = (text for text, count in counts.items() if count)
    return ", ".join((f"{run.duplicates} duplicate(s) ignored", *texts))


def _number(value: int | None) -> str:
    return "a big integer" if value is None else str(value)


def _intervals(run: Run) -> str:
    return ", ".join(str(Chunk(*interval)) for interval in run.intervals) or "an empty range"


def _hosts(run: Run) -> str:
    if run.machines < run.hosts:
        return f"{run.hosts} host(s) on {run.machines} machine(s), whose cores they share"
    return f"{run.hosts} host(s)"


def _share(run: Run, host: str, counted: Sequence[ChunkRecord]) -> Iterator[str]:
    """One line for the host, and one for each of its first slots."""
    slots = run.shares[host]
    part = sum(share.indices for share in slots.values()) / max(run.stop - run.start, 1)
    chunks = sum(share.chunks for share in slots.values())
    yield f"{host}: {part:.1%} of the indices in {chunks} chunk(s) on {len(slots)} slot(s)"
    for slot in sorted(slots, key=natural_key)[:MAX_SLOTS]:
        share = slots[slot]
        records = [record for record in counted if (record.host, record.slot) == (host, slot)]
        ranges = " ".join(str(Chunk(record.start, record.stop)) for record in records[:MAX_CHUNKS])
        hidden = share.chunks - min(len(records), MAX_CHUNKS)
        more = f" and {hidden} more" if hidden > 0 else ""
        yield f"  slot {slot}: {ranges}{more}, {share.busy_s:.2f} s busy"
    if len(slots) > MAX_SLOTS:
        yield f"  and {len(slots) - MAX_SLOTS} more slot(s); --json lists all of them"
