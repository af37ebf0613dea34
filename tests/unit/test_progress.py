"""A run says how long it will take: the estimate follows the costs of the missing indices."""

import io
import logging
from dataclasses import dataclass
from typing import Any

import pytest

from poolrace.producer.experiments.progress import (
    FIRST_LINE_S,
    LINES_S,
    Lines,
    TimeLeft,
    in_words,
    run_bars,
)
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import Ledger
from poolrace.workers.chunks import Chunk
from poolrace.workers.workloads import make_workload


@dataclass
class Clock:
    """A monotonic clock that the test sets."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def job(name: str, stop: int, **parameters: Any) -> Job:
    return Job(make_workload(name, parameters), 0, stop)


@pytest.mark.parametrize(
    ("work", "left_s"),
    [
        (job("sum", 1000), 90.0),
        (job("factorial", 1000, wait_s=1.0), 10.0 * (999 * 998 / (99 * 98) - 1)),
        (job("factorial", 1000, wait_s=0.0), 9990.0),
    ],
    ids=["equal costs", "costs in proportion to the index", "costs by the square of the index"],
)
def test_a_tenth_of_the_indices_tells_the_time_left(work: Job, left_s: float) -> None:
    clock, ledger = Clock(), work.ledger()
    time_left = TimeLeft(work, clock)
    assert time_left.seconds(ledger) is None
    ledger.add(Chunk(0, 100), 1)
    clock.now += 10.0
    assert time_left.seconds(ledger) == pytest.approx(left_s)


def test_what_an_earlier_run_has_done_does_not_count() -> None:
    work = Job(make_workload("sum", {}), 0, 1000, done=(Chunk(0, 900),), value=1)
    clock, ledger = Clock(), work.ledger()
    time_left = TimeLeft(work, clock)
    ledger.add(Chunk(900, 950), 1)
    clock.now += 10.0
    assert time_left.seconds(ledger) == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h"),
     (3 * 86400, "3 days"), (10**9, "32 years")],
)  # fmt: skip
def test_a_duration_is_written_in_the_unit_that_fits(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def lines_of(
    work: Job, ledger: Ledger, until_s: int, caplog: pytest.LogCaptureFixture
) -> list[str]:
    """The lines of a run that gets no further result, by its second."""
    caplog.set_level(logging.INFO)
    clock = Clock()
    lines = Lines(work, "celery:prefork", clock)
    for _ in range(until_s):
        clock.now += 1.0
        lines.update(ledger, None)
    return caplog.messages


def test_without_a_terminal_a_long_run_writes_lines_and_ever_fewer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    work = job("sum", 1000)
    ledger = work.ledger()
    ledger.add(Chunk(0, 250), 1)
    lines = lines_of(work, ledger, 3600, caplog)
    assert lines[0] == (
        "celery:prefork: 25.0 % of the indices are done after 10 s, about 30 s left"
    )
    assert lines[1].endswith("done after 20 s, about 60 s left")
    assert 3600 / LINES_S < len(lines) < 3600 / LINES_S + 8


def test_a_run_without_a_result_says_that_the_time_left_is_unknown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    work = job("factorial", 20_001)
    [line] = lines_of(work, work.ledger(), round(FIRST_LINE_S) + 1, caplog)
    assert line == "celery:prefork: 0.0 % of the indices are done after 10 s, time left unknown"


def test_a_short_or_a_complete_run_writes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    work = job("sum", 10)
    ledger = work.ledger()
    assert not lines_of(work, ledger, round(FIRST_LINE_S) - 1, caplog)
    ledger.add(Chunk(0, 10), 1)
    assert not lines_of(work, ledger, 100, caplog)


def test_the_observer_of_a_run_without_a_terminal_writes_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with run_bars(job("sum", 10)) as make_observer:
        observer = make_observer("local:single")
    assert isinstance(getattr(observer, "__self__", None), Lines)
