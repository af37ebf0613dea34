"""A run says how long it will take: the estimate follows the costs of the missing indices."""

import io
import logging
import re
from dataclasses import dataclass
from typing import Any

import pytest
from rich.console import Console

from poolrace.producer.experiments.progress import (
    FIRST_LINE_S,
    LINES_S,
    Lines,
    TimeLeft,
    in_words,
    run_bars,
)
from poolrace.producer.experiments.progress_bar import Bar, bar_display, steps_display
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.ledger import Ledger
from poolrace.workers.chunks import Chunk, ChunkResult
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


@dataclass
class Screen:
    """A terminal of 80 columns with the bar of a comparison of 40 runs of 1,000 indices."""

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.work = job("sum", 1000)
        self.console = Console(file=io.StringIO(), force_terminal=True, width=80)
        self.display = bar_display(self.console)
        self.bar = Bar(self.display, self.work, 40, self.clock)

    def lines(self) -> list[str]:
        with self.console.capture() as capture:
            self.console.print(self.display.get_renderable())
        text = re.sub(r"\x1b\[[0-9;]*m", "", capture.get())
        return text.rstrip("\n").split("\n")

    def run(self, title: str, seconds: list[float]) -> list[str]:
        """Do a run whose chunks arrive after these seconds each; returns the line at each chunk."""
        observer, ledger, shown = self.bar.start(title), self.work.ledger(), []
        for number, wait_s in enumerate(seconds):
            self.clock.now += wait_s
            chunk = Chunk(100 * number, 100 * number + 100)
            ledger.add(chunk, 1)
            observer(ledger, result_of(chunk))
            [line] = self.lines()
            assert len(line) <= 80
            assert re.search(r"[0-9.e+]+/s", line), line
            shown.append(line)
        return shown


def result_of(chunk: Chunk) -> ChunkResult:
    empty = dict.fromkeys(ChunkResult._fields, 0)
    return ChunkResult(**{**empty, "chunk": chunk, "host": "host", "slot": "1"})  # type: ignore[arg-type] # made up


def test_one_bar_shows_all_runs_of_a_comparison_with_their_numbers_in_80_columns() -> None:
    screen = Screen()
    assert screen.run("celery:prefork", [0.5] * 10)[0].startswith("run 1 of 40 · celery:prefork")
    last = screen.run("a model with a name that is longer than the terminal " * 3, [0.5] * 10)[-1]
    assert last.startswith("run 2 of 40 · a model")
    assert " 200/s " in last
    assert "  5%" in last


def test_the_bar_names_no_time_left_before_there_is_evidence() -> None:
    shown = Screen().run("celery:prefork", [3.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    assert not any("left" in line for line in shown[:3])
    assert "left" in shown[3]


def test_the_time_left_is_that_of_all_runs() -> None:
    screen = Screen()
    screen.run("celery:prefork", [1.0] * 10)
    assert "about 6 min left" in screen.run("celery:prefork", [1.0])[0]  # 9 s, and 38 runs of 10 s


def test_the_bar_of_steps_shows_names_with_brackets_as_they_are() -> None:
    console = Console(file=io.StringIO(), width=80)
    with steps_display(console) as display:
        display.add_task("pool threads [bold]on[/] [10.0.0.1]", total=2)
        console.print(display.get_renderable())
    assert isinstance(console.file, io.StringIO)
    assert "pool threads [bold]on[/] [10.0.0.1]" in console.file.getvalue()
