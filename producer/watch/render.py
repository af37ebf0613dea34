"""Renders a snapshot as one frame of the terminal."""

from collections.abc import Sequence
from itertools import pairwise

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from poolrace.producer.printable import printable
from poolrace.producer.watch.snapshot import Snapshot, WorkerState

LEVELS = " ▁▂▃▄▅▆▇█"
"""Characters for fractions from 0 to 1."""


class Frame:
    """One frame: its lines fit into the width and, on a terminal, the height of the console."""

    def __init__(self, snapshot: Snapshot, *, whole: bool = False) -> None:
        self._snapshot = snapshot
        self._whole = whole

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines of the frame."""
        height = None if self._whole else options.height or console.height
        for text, style in frame_lines(self._snapshot, options.max_width, height):
            line = Text(text, style=style, no_wrap=True, overflow="ellipsis")
            line.truncate(options.max_width)
            yield line


def frame_lines(snapshot: Snapshot, width: int, height: int | None) -> list[tuple[str, str]]:
    """The lines of a frame, each with its style; at most ``height`` lines unless ``None``."""
    head = [(line, "") for line in _head(snapshot)]
    if snapshot.error:
        head.append((f"Redis does not answer, trying again: {printable(snapshot.error)}", "red"))
    parts = [
        ("workers", _workers(snapshot), False),
        ("jobs", _jobs(snapshot, width), False),
        ("slots", _rows(snapshot, width), False),
        ("events", [f"{event.at}  {printable(event.text)}" for event in snapshot.events], True),
    ]
    parts = [part for part in parts if part[1]]
    room = None if height is None else max(height - len(head) - len(parts), 0)
    shares = _shares([len(lines) for _, lines, _ in parts], room)
    lines = head
    for (title, content, newest_last), share in zip(parts, shares, strict=True):
        hidden = len(content) - share
        more = f" ({hidden} more)" if hidden else ""
        lines.append((f"{title}{more}", "bold"))
        shown = content[hidden:] if newest_last else content[:share]
        lines += [(line, "") for line in shown]
    return lines[:height]


def _shares(wanted: Sequence[int], room: int | None) -> list[int]:
    """Lines for each part: the least first, then one more to each in turn until none is left."""
    if room is None or sum(wanted) <= room:
        return list(wanted)
    shares = [0] * len(wanted)
    while sum(shares) < room:
        for number, lines in enumerate(wanted):
            if shares[number] < lines and sum(shares) < room:
                shares[number] += 1
    return shares


def _head(snapshot: Snapshot) -> list[str]:
    slots = sum(worker.slots for worker in snapshot.workers)
    busy = sum(worker.busy for worker in snapshot.workers)
    rates = [each.chunks_per_s for each in snapshot.workers if each.chunks_per_s is not None]
    rate = _rate(sum(rates) if rates else None)
    hosts = len({worker.host for worker in snapshot.workers})
    memory = f"{snapshot.memory_bytes / 2**20:.1f}"
    if snapshot.memory_limit_bytes:
        memory += f" of {snapshot.memory_limit_bytes / 2**20:.0f}"
    queues = ", ".join(f"{pool} {length}" for pool, length in snapshot.queues)
    return [
        f"{printable(snapshot.broker)}  {snapshot.at[11:19]} UTC",
        f"hosts {hosts}  slots {busy} of {slots} busy  chunks/s {rate}  Redis {memory} MiB",
        f"queued: {queues or '-'}",
    ]


def _workers(snapshot: Snapshot) -> list[str]:
    return [
        f"{printable(worker.name)[:40]:<24} {worker.busy:>5} of {worker.slots:<5}"
        f" {_rate(worker.chunks_per_s):>8}/s  {printable(', '.join(_notes(worker)))}"
        for worker in snapshot.workers
    ]


def _notes(worker: WorkerState) -> list[str]:
    """The state of the worker, unless it is present, and its waiting batches."""
    texts = {
        "present": "",
        "silent": f"silent for {worker.silent_s:.0f} s",
        "incompatible": f"gets no chunks: protocol {worker.protocol}, poolrace {worker.version}",
    }
    waiting = f"{worker.waiting} waiting" if worker.waiting else ""
    return [text for text in (texts.get(worker.state, worker.state), waiting) if text]


def _rate(per_s: float | None) -> str:
    """Chunks per second in three digits, ``-`` if not known."""
    if per_s is None:
        return "-"
    return f"{per_s:,.0f}" if per_s >= 100 else f"{per_s:.3g}"


def _jobs(snapshot: Snapshot, width: int) -> list[str]:
    lines = []
    for job in snapshot.jobs:
        text = f"{job.job}  {job.state:<11} {job.done:>6.1%}  "
        bar = levels(resized(job.coverage, max(width - len(text) - 26, 10)))
        lines.append(f"{text}|{bar}| {job.workload} on {job.pool}")
    return [printable(line) for line in lines]


def _rows(snapshot: Snapshot, width: int) -> list[str]:
    """The past of each row up to now, at the right, and the task id of its batch."""
    labels = [printable(f"{row.worker} {row.slot or ''}".rstrip())[:34] for row in snapshot.rows]
    widest = max(map(len, labels), default=0)
    cells = max(width - widest - 32, 10)
    return [
        f"{label:<{widest}} |{levels(row.utilisation[-cells:]):>{cells}}| {printable(row.now)}"
        for label, row in zip(labels, snapshot.rows, strict=True)
    ]


def resized(values: Sequence[float], count: int) -> list[float]:
    """``count`` values at most, each the mean of neighbouring ones."""
    count = min(count, len(values))
    edges = [len(values) * number // count for number in range(count + 1)] if count else []
    return [sum(values[begin:end]) / (end - begin) for begin, end in pairwise(edges)]


def levels(values: Sequence[float | None]) -> str:
    """One character for each fraction, ``?`` for an unknown one; only 0 is blank, only 1 full."""
    characters = []
    for value in values:
        if value is None:
            characters.append("?")
        elif value <= 0 or value >= 1:
            characters.append(LEVELS[-1] if value >= 1 else LEVELS[0])
        else:
            characters.append(LEVELS[1 + int(value * (len(LEVELS) - 2))])
    return "".join(characters)
