"""One run in words, for the terminal."""

from producer.results import Run
from workers.chunks import Chunk

FEW = 10
"""A run of at most so many chunks shows each of them."""


def render(run: Run) -> str:
    """The value and its proof, the figures, each host's share."""
    whole = Chunk(run.start, run.stop)
    verdict = "exact" if run.exact else f"NOT EXACT, expected {run.expected}"
    size = f"{run.slots} slot(s) of {run.hosts} host(s)"
    cut = f"{run.chunks} chunk(s) by schedule {run.schedule}"
    switches = f"{run.voluntary_switches:,} voluntary, {run.involuntary_switches:,} involuntary"
    memory = f"{run.peak_memory_bytes / 2**20:.0f} MiB"
    lines = [
        f"{run.workload} over {whole} under {run.model}: {run.value}, {verdict}",
        f"  {run.elapsed_s:.3f} s on {size}, efficiency {run.efficiency:.2f}",
        f"  {cut}, {run.duplicates} duplicate(s) ignored; counted once: {_intervals(run)}",
        f"  CPU {run.cpu_s:.2f} s, context switches {switches}, peak memory {memory}",
        f"  start-up {run.startup_s:.2f} s, outside the clock",
    ]
    lines += [f"  {line}" for line in _shares(run)]
    if 0 < run.chunks == len(run.records) <= FEW:
        parts = (f"{Chunk(r.start, r.stop)} = {_number(r.value)}" for r in run.records)
        lines.append(f"  partials: {', '.join(parts)}")
        lines.append(f"  merged: {', '.join(_number(record.merged) for record in run.records)}")
    return "\n".join((*lines, ""))


def _number(value: int | None) -> str:
    return "a big integer" if value is None else str(value)


def _intervals(run: Run) -> str:
    return ", ".join(str(Chunk(*interval)) for interval in run.intervals) or "an empty range"


def _shares(run: Run) -> list[str]:
    total = max(run.stop - run.start, 1)
    return [
        f"{host}: {sum(share.indices for share in slots.values()) / total:.1%} of the indices in"
        f" {sum(share.chunks for share in slots.values())} chunk(s) on {len(slots)} slot(s)"
        for host, slots in sorted(run.shares.items())
    ]
