"""Start runs in another thread, while the test disturbs the cluster, and check them."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from poolrace.producer.experiments.dispatch import Observer
from poolrace.producer.jobs.ledger import Ledger
from poolrace.producer.results.run import Run
from poolrace.workers.chunks import ChunkResult
from tests.conftest import PATIENCE_S, wait_until


@dataclass
class Progress:
    """Progress of a run in another thread: the part that is done, and the hosts seen so far."""

    future: "Future[Run]" = field(default_factory=Future)
    done: float = 0.0
    hosts: set[str] = field(default_factory=set)
    go_on: threading.Event = field(default_factory=threading.Event)
    """Set when the run may go on beyond the half of its range."""

    def __call__(self, ledger: Ledger, result: ChunkResult | None) -> None:
        if result is not None:
            self.hosts.add(result.host)
        self.done = ledger.done / (ledger.stop - ledger.start)
        if self.done >= 0.5:
            self.go_on.wait(PATIENCE_S)

    def wait_for(self, part: float) -> None:
        """Wait until ``part`` of the range is done; fail if the run ends first."""
        wait_until(lambda: self.done >= part or self.future.done())
        if self.future.done():
            pytest.fail(f"the run ended too early: {self.future.result()}")

    def run(self) -> "Run":
        """The finished run."""
        return self.future.result(timeout=0)


@contextmanager
def run_in_thread(
    run: Callable[[Observer], Run], part: float = 0.25, *, held: bool = False
) -> Iterator[Progress]:
    """Start ``run``, which takes an observer; enter the block when ``part`` of it is done.

    On a busy machine the block may begin late, so the run waits at half of its range: until the
    block begins, or, if it is ``held``, until the block sets ``go_on``. Leaving the block waits
    for the end of the run.
    """
    progress = Progress()
    with ThreadPoolExecutor(1) as thread:
        progress.future = thread.submit(run, progress)
        try:
            progress.wait_for(part)
            if not held:
                progress.go_on.set()
            yield progress
        finally:
            progress.go_on.set()
        progress.future.result(timeout=150)


def has_event(run: Run, text: str) -> bool:
    """Whether an event of the run contains the text."""
    return any(text in event.what for event in run.events)


def assert_exact(run: Run) -> None:
    """Assert that each index was counted once and that the value is the expected one."""
    assert run.exact
    assert run.value == run.expected
    assert run.intervals == [[run.start, run.stop]]
    indices = sum(share.indices for slots in run.shares.values() for share in slots.values())
    assert indices + run.resumed == run.stop - run.start
