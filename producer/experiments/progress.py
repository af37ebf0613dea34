"""Live progress on standard error: a bar on a terminal, nothing where nobody looks."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column

from poolrace.producer.experiments.compare import ObserverFactory, no_progress
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import Ledger
from poolrace.workers.chunks import ChunkResult

REFRESH_S = 0.1


class _Bar:
    """Chunks done, rate, time left, the value so far, each host's share of a run."""

    def __init__(self, progress: Progress, job: Job, title: str) -> None:
        self._progress = progress
        self._task: TaskID = progress.add_task(title, total=len(job), words="")
        self._began = time.monotonic()
        self._shown = 0.0
        self._chunks = 0
        self._indices: dict[str, int] = {}

    def update(self, ledger: Ledger, result: ChunkResult | None) -> None:
        if result is not None:
            self._chunks += 1
            host = self._indices.get(result.host, 0)
            self._indices[result.host] = host + len(result.chunk)
        now = time.monotonic()
        if now - self._shown >= REFRESH_S or ledger.complete:
            self._shown = now
            self._progress.update(self._task, completed=ledger.done, words=self._words(ledger, now))

    def _words(self, ledger: Ledger, now: float) -> str:
        rate = ledger.done / max(now - self._began, 1e-9)
        left_s = (ledger.stop - ledger.start - ledger.done) / rate if rate else 0.0
        value = str(ledger.value) if ledger.value.bit_length() < 100 else "a big integer"
        shares = ", ".join(
            f"{host} {indices / max(ledger.done, 1):.0%}" for host, indices in self._indices.items()
        )
        return (
            f"{self._chunks} chunks · value {value} · {rate:.3g}/s · {left_s:.0f} s left · {shares}"
        )


@contextmanager
def steps(number: int) -> Iterator[Callable[[str], None]]:
    """Gives what moves a bar on by one of so many steps, with words, or does nothing likewise."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("starting", total=number)
        yield lambda words: progress.update(task, advance=1, description=words)


@contextmanager
def bars(job: Job) -> Iterator[ObserverFactory]:
    """Gives what makes a bar for each run, or nothing if standard error is not a terminal."""
    if not sys.stderr.isatty():
        yield no_progress
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=12),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn(
            "{task.fields[words]}",
            table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
        ),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, expand=True) as progress:
        yield lambda title: _Bar(progress, job, title).update
