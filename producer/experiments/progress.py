"""Progress bars on standard error, if standard error is a terminal."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column

from poolrace.producer.experiments.compare import ObserverFactory, no_observer
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import Ledger
from poolrace.workers.chunks import ChunkResult

REFRESH_S = 0.1
"""Seconds between two updates of a progress bar."""


class _Bar:
    """The progress bar of a run: chunks, merged value, rate, time left, share of each host."""

    def __init__(self, progress: Progress, job: Job, title: str) -> None:
        self._progress = progress
        self._task: TaskID = progress.add_task(title, total=len(job), figures="")
        self._began = time.monotonic()
        self._shown = 0.0
        self._chunks = 0
        self._indices: dict[str, int] = {}

    def update(self, ledger: Ledger, result: ChunkResult | None) -> None:
        """Count the result and redraw the bar: the observer of the run."""
        if result is not None:
            self._chunks += 1
            host = self._indices.get(result.host, 0)
            self._indices[result.host] = host + len(result.chunk)
        now = time.monotonic()
        if now - self._shown >= REFRESH_S or ledger.complete:
            self._shown = now
            figures = self._figures(ledger, now)
            self._progress.update(self._task, completed=ledger.done, figures=figures)

    def _figures(self, ledger: Ledger, now: float) -> str:
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
    """Show a progress bar of ``number`` steps; yields the function that advances the bar."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("starting", total=number)
        yield lambda text: progress.update(task, advance=1, description=text)


@contextmanager
def run_bars(job: Job) -> Iterator[ObserverFactory]:
    """Show a progress bar per run; yields the observer factory that creates the bars."""
    if not sys.stderr.isatty():
        yield no_observer
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=12),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn(
            "{task.fields[figures]}",
            table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
        ),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, expand=True) as progress:
        yield lambda title: _Bar(progress, job, title).update
