"""Progress of runs on standard error: a bar on a terminal, else a line now and then.

The bar is imported for a terminal only: rich takes a twentieth of a second.
"""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from poolrace.producer.experiments.compare import ObserverFactory
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import Ledger
from poolrace.workers.chunks import ChunkResult

FIRST_LINE_S = 10.0
"""Seconds after which a run without a bar writes its first line; shorter runs write none."""

LINES_S = 600.0
"""Seconds between two lines of a long run, at most; before, each line comes after twice the time of
the last one."""

logger = logging.getLogger(__name__)


class TimeLeft:
    """Estimates the time left of a run from the cost of its done and its missing indices.

    The indices of a workload need not cost the same: those of ``factorial`` cost more and more.
    """

    def __init__(self, job: Job, clock: Callable[[], float] = time.monotonic) -> None:
        self._job = job
        self._clock = clock
        self._began = clock()
        self._total = job.missing_cost(job.ledger())

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start of the run."""
        return self._clock() - self._began

    def seconds(self, ledger: Ledger) -> float | None:
        """Seconds until the ledger is complete, ``None`` if no chunk with a cost is done."""
        missing = self._job.missing_cost(ledger)
        done = self._total - missing
        return self.elapsed_s * missing / done if done > 0 else None

    def words(self, ledger: Ledger) -> str:
        """The estimate as words, such as ``about 7 min left``."""
        seconds = self.seconds(ledger)
        return "time left unknown" if seconds is None else f"about {in_words(seconds)} left"


def in_words(seconds: float) -> str:
    """A duration in its largest unit of which it has two or more."""
    for unit, unit_s in (("years", 365 * 86400.0), ("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:,.0f} {unit}"
    return f"{seconds:.0f} s"


class Lines:
    """Log lines of a run: the share of indices that is done, and the time left."""

    def __init__(self, job: Job, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._title = title
        self._time_left = TimeLeft(job, clock)
        self._next_s = FIRST_LINE_S

    def update(self, ledger: Ledger, _: ChunkResult | None) -> None:
        """Write a line if it is time for one: the observer of the run."""
        elapsed_s = self._time_left.elapsed_s
        if elapsed_s < self._next_s or ledger.complete:
            return
        self._next_s = elapsed_s + min(elapsed_s, LINES_S)
        share = ledger.done / (ledger.stop - ledger.start)
        logger.info(
            "%s: %.1f %% of the indices are done after %s, %s",
            *(self._title, 100 * share, in_words(elapsed_s), self._time_left.words(ledger)),
        )


@contextmanager
def steps(number: int) -> Iterator[Callable[[str], None]]:
    """Show a progress bar of ``number`` steps; yields the function that advances the bar."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from poolrace.producer.experiments.progress_bar import steps_bar  # noqa: PLC0415 # see above

    with steps_bar(number) as advance:
        yield advance


@contextmanager
def run_bars(job: Job, runs: int = 1) -> Iterator[ObserverFactory]:
    """Show the progress of the runs; yields the observer factory that starts a run of the bar."""
    if not sys.stderr.isatty():
        yield lambda title: Lines(job, title).update
        return
    from poolrace.producer.experiments.progress_bar import runs_bar  # noqa: PLC0415 # see above

    with runs_bar(job, runs) as start:
        yield start
