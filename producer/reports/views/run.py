"""One run in words, for the terminal."""

from collections.abc import Iterator

from poolrace.producer.results.run import Run
from poolrace.workers.chunks import Chunk

FEW = 10
"""A run of at most so many chunks shows each of them."""

MAX_SLOTS = 4
MAX_CHUNKS = 3
"""What a host's share shows of its slots and of their chunks; --json has all of it."""


def render(run: Run) -> str:
    """The value and its proof, the figures, each host's share."""
    whole = Chunk(run.start, run.stop)
    verdict = "exact" if run.exact else f"NOT EXACT, expected {run.expected}"
    size = f"{run.slots} slot(s) of {_hosts(run)}"
    cut = f"{run.chunks} chunk(s) by schedule {run.schedule}"
    switches = f"{run.voluntary_switches:,} voluntary, {run.involuntary_switches:,} involuntary"
    memory = f"{run.peak_memory_bytes / 2**20:.0f} MiB"
    lines = [
        f"{run.workload} over {whole} under {run.model}: {run.value}, {verdict}",
        f"  {run.elapsed_s:.3f} s on {size}, efficiency {run.efficiency:.2f}",
        f"  {cut}, {_more_than_once(run)}; counted once: {_intervals(run)}",
        f"  CPU {run.cpu_s:.2f} s, context switches {switches}, peak memory {memory}",
        f"  start-up {run.startup_s:.2f} s, outside the clock",
    ]
    lines += [f"  {line}" for host in sorted(run.shares) for line in _share(run, host)]
    lines += [f"  at {event.at_s:.1f} s: {event.what}" for event in run.events]
    if 0 < run.chunks == len(run.records) <= FEW:
        parts = (f"{Chunk(r.start, r.stop)} = {_number(r.value)}" for r in run.records)
        lines.append(f"  partials: {', '.join(parts)}")
        lines.append(f"  merged: {', '.join(_number(record.merged) for record in run.records)}")
    return "\n".join((*lines, ""))


def _more_than_once(run: Run) -> str:
    counts = {"retried": run.retries, "sent again": run.resent, "backed up": run.backups}
    again = "".join(f", {count} {what}" for what, count in counts.items() if count)
    before = f", {run.resumed:_} indices done before" if run.resumed else ""
    return f"{run.duplicates} duplicate(s) ignored{again}{before}"


def _number(value: int | None) -> str:
    return "a big integer" if value is None else str(value)


def _intervals(run: Run) -> str:
    return ", ".join(str(Chunk(*interval)) for interval in run.intervals) or "an empty range"


def _hosts(run: Run) -> str:
    shared = f" on {run.machines} machine(s), whose cores they share" * (run.machines < run.hosts)
    return f"{run.hosts} host(s){shared}"


def _share(run: Run, host: str) -> Iterator[str]:
    """A line for the host, and one for each of its first slots."""
    slots = run.shares[host]
    part = sum(share.indices for share in slots.values()) / max(run.stop - run.start, 1)
    chunks = sum(share.chunks for share in slots.values())
    yield f"{host}: {part:.1%} of the indices in {chunks} chunk(s) on {len(slots)} slot(s)"
    for slot, share in sorted(slots.items())[:MAX_SLOTS]:
        some = [r for r in run.records if (r.host, r.slot) == (host, slot)][:MAX_CHUNKS]
        ranges = " ".join(str(Chunk(r.start, r.stop)) for r in some)
        more = f" and {share.chunks - len(some)} more" * (share.chunks > len(some))
        yield f"  slot {slot}: {ranges}{more}, {share.busy_s:.2f} s busy"
    if len(slots) > MAX_SLOTS:
        yield f"  and {len(slots) - MAX_SLOTS} more slot(s), all of them with --json"
