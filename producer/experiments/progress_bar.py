"""Progress bars of runs and of steps on a terminal."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import fmean

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column

from poolrace.producer.experiments.compare import ObserverFactory
from poolrace.producer.experiments.dispatch import Observer
from poolrace.producer.experiments.progress import TimeLeft, in_words
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import Ledger
from poolrace.producer.printable import printable
from poolrace.workers.chunks import ChunkResult

REFRESH_S = 0.1
"""Seconds between two updates of a progress bar."""

ENOUGH_S = 5.0
"""Seconds of a run before a bar estimates from it; the first chunks wait for cold workers."""

ENOUGH_RESULTS = 4
"""Number of results before a bar estimates from a run: one chunk may cost less than the others."""

VALUE_BITS = 100
"""Bits of the largest merged value that a bar shows."""


class Bar:
    """The progress bar of all runs of a comparison.

    It shows the number of the run, chunks, merged value, share of each host, rate and time left.
    """

    def __init__(
        self, progress: Progress, job: Job, runs: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._progress = progress
        self._job = job
        self._runs = runs
        self._clock = clock
        self._task: TaskID = progress.add_task("starting", total=runs * len(job), rate="", left="")
        self._time_left = TimeLeft(job, clock)
        self._number = 0
        self._shown_at = clock()
        self._title = ""
        self._results = 0
        self._indices: dict[str, int] = {}
        """Host -> number of indices that it has computed."""
        self._measured_s: list[float] = []

    def start(self, title: str) -> Observer:
        """Begin the next run; returns its observer."""
        self._number += 1
        self._results = 0
        self._indices = {}
        self._time_left = TimeLeft(self._job, self._clock)
        number = f"run {self._number} of {self._runs} · " if self._runs > 1 else ""
        self._title = f"{number}{title}"
        self._progress.update(self._task, description=printable(self._title), rate="0/s")
        return self.update

    def update(self, ledger: Ledger, result: ChunkResult | None) -> None:
        """Count the result and redraw the bar: the observer of the run."""
        if result is not None:
            self._results += 1
            self._indices[result.host] = self._indices.get(result.host, 0) + len(result.chunk)
        now = self._clock()
        if now - self._shown_at < REFRESH_S and not ledger.complete:
            return
        self._shown_at = now
        elapsed_s = self._time_left.elapsed_s
        left = self._left(ledger)
        if ledger.complete and len(self._measured_s) < self._number:
            self._measured_s.append(elapsed_s)
        self._progress.update(
            self._task,
            description=printable(self._description(ledger)),
            completed=(self._number - 1) * len(self._job) + ledger.done,
            rate=f"{ledger.done / max(elapsed_s, 1e-9):.3g}/s",
            left=left,
        )

    def _description(self, ledger: Ledger) -> str:
        """Title and figures of the run; a narrow terminal shows the beginning."""
        value = str(ledger.value) if ledger.value.bit_length() <= VALUE_BITS else "a big integer"
        shares = ", ".join(
            f"{host} {indices / max(ledger.done, 1):.0%}" for host, indices in self._indices.items()
        )
        figures = [f"{self._results:,} chunks", f"value {value}", *([shares] if shares else [])]
        return " · ".join([self._title, *figures])

    def _left(self, ledger: Ledger) -> str:
        """Time left of all runs, from the runs so far; nothing before there is evidence."""
        elapsed_s = self._time_left.elapsed_s
        is_enough = ledger.complete or (elapsed_s >= ENOUGH_S and self._results >= ENOUGH_RESULTS)
        run_left_s = self._time_left.seconds(ledger) if is_enough else None
        measured_s = self._measured_s
        if run_left_s is None and measured_s:
            run_left_s = max(fmean(measured_s) - elapsed_s, 0.0)
        if run_left_s is None:
            return ""
        run_s = fmean([*measured_s, elapsed_s + run_left_s])
        return f"about {in_words(run_left_s + (self._runs - self._number) * run_s)} left"


@contextmanager
def steps_bar(number: int) -> Iterator[Callable[[str], None]]:
    """Show a bar of ``number`` steps; yields the function that advances it."""
    with steps_display(Console(stderr=True)) as progress:
        task = progress.add_task("starting", total=number)
        yield lambda text: progress.update(task, advance=1, description=printable(text))


@contextmanager
def runs_bar(job: Job, runs: int) -> Iterator[ObserverFactory]:
    """Show a bar of all runs; yields the observer factory that starts a run of the bar."""
    with bar_display(Console(stderr=True)) as progress:
        yield Bar(progress, job, runs).start


def steps_display(console: Console) -> Progress:
    """The display of a bar of steps: rich's own, but a name with brackets is no markup."""
    _, *columns = Progress.get_default_columns()
    title = TextColumn("{task.description}", markup=False)
    return Progress(title, *columns, console=console, transient=True)


def bar_display(console: Console) -> Progress:
    """The display of a bar: only the title is shortened where the terminal is narrow."""
    return Progress(
        TextColumn(
            "{task.description}",
            markup=False,
            table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
        ),
        BarColumn(bar_width=12),
        TextColumn("{task.percentage:>3.0f}%", table_column=Column(no_wrap=True)),
        TextColumn("{task.fields[rate]}", table_column=Column(no_wrap=True)),
        TextColumn("{task.fields[left]}", table_column=Column(no_wrap=True)),
        console=console,
        transient=True,
        expand=True,
    )
