"""A run that goes on in another thread while a test does something to what it needs."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from poolrace.producer.experiments.dispatch import Observer
from poolrace.producer.jobs.ledger import Ledger
from poolrace.producer.results.run import Run
from poolrace.workers.chunks import ChunkResult
from tests.conftest import wait_until


@dataclass
class Progress:
    """How far a run is that goes on in another thread."""

    future: "Future[Run]" = field(default_factory=Future)
    done: float = 0.0
    hosts: set[str] = field(default_factory=set)

    def __call__(self, ledger: Ledger, result: ChunkResult | None) -> None:
        if result is not None:
            self.hosts.add(result.host)
        self.done = ledger.done / (ledger.stop - ledger.start)

    def wait_for(self, part: float) -> None:
        wait_until(lambda: self.done >= part or self.future.done(), 60)
        if self.future.done():
            pytest.fail(f"over before anything could happen to it: {self.future.result()}")

    def run(self) -> "Run":
        """The finished run."""
        return self.future.result(timeout=0)


@contextmanager
def during(run: Callable[[Observer], Run], part: float = 0.25) -> Iterator[Progress]:
    """Start ``run``, which takes an observer; the block begins when that part is done.

    The run is over when the block has been left.
    """
    progress = Progress()
    with ThreadPoolExecutor(1) as thread:
        progress.future = thread.submit(run, progress)
        progress.wait_for(part)
        yield progress
        progress.future.result(timeout=150)


def happened(run: Run, what: str) -> bool:
    """Whether the run tells of such an event."""
    return any(what in event.what for event in run.events)


def assert_whole(run: Run) -> None:
    """Every index was counted, none twice, and the value is the one found independently."""
    assert run.exact
    assert run.value == run.expected
    assert run.intervals == [[run.start, run.stop]]
    indices = sum(share.indices for slots in run.shares.values() for share in slots.values())
    assert indices + run.resumed == run.stop - run.start
