"""The live view: snapshots, history and frames from made-up data."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from poolrace.producer.watch.history import MAX_EVENTS, MAX_FRAMES, MAX_ROWS, History
from poolrace.producer.watch.render import Frame, frame_lines, levels
from poolrace.producer.watch.snapshot import JobState, Snapshot, WorkerState, coverage
from poolrace.producer.watch.terminal import require_terminal
from poolrace.workers.chunks import Chunk
from poolrace.workers.errors import UsageError

HOSTILE = "a[red]b[/]\x1b[31m\x1b]0;title\x07\n\u202e@host"


def made_up_worker(name: str = "prefork@a", slots: int = 2, *holds: str) -> WorkerState:
    working = tuple((f"7.{number}", task_id) for number, task_id in enumerate(holds[:slots]))
    return WorkerState(name, "prefork", "a", slots, len(working), len(holds) - len(working), 1.5,
                       0.2, "present", "1.0", 2, working)  # fmt: skip


def made_up_snapshot(*workers: WorkerState) -> Snapshot:
    job = JobState("0123456789ab", "sum", "prefork", "running", 0.5, (1.0, 0.5, 0.0), "")
    return Snapshot("redis://:***@h:1/0", "2026-01-01T10:00:00.000+00:00", queues=(("solo", 3),),
                    workers=workers, jobs=(job,))  # fmt: skip


def printed(snapshot: Snapshot, width: int = 80, height: int = 24, *, whole: bool = False) -> str:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True)
    console.print(Frame(snapshot, whole=whole), highlight=False)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_coverage_is_the_done_fraction_of_each_part() -> None:
    assert coverage(0, 10, [Chunk(0, 3), Chunk(7, 10)], 2) == (0.6, 0.6)
    assert coverage(5, 25, [Chunk(6, 24)], 4) == (0.8, 1.0, 1.0, 0.8)
    assert coverage(0, 3, [Chunk(1, 2)], 60) == (0.0, 1.0, 0.0)
    assert coverage(4, 4, []) == ()


def test_only_nothing_is_blank_and_only_all_is_full() -> None:
    assert levels([0.0, 0.001, 0.999, 1.0, None]) == " ▁▇█?"


def shown_slots(*frames: dict[str, str] | None) -> list[tuple[str | None, str, int]]:
    """Slot, task id and number of busy frames of each row of a worker with three slots."""
    history = History()
    for working in frames:
        items = None if working is None else tuple(working.items())
        worker = replace(made_up_worker("w", 3), busy=len(items or "abc"), working=items)
        snapshot = history.add(made_up_snapshot(worker), "10:00:00")
    return [(row.slot, row.now, sum(value == 1 for value in row.utilisation))
            for row in snapshot.rows]  # fmt: skip


def test_a_row_is_the_slot_that_the_worker_announces() -> None:
    assert shown_slots({"7.10": "a"}, {"7.10": "b", "7.2": "c"}) == [
        ("7.2", "c", 1),
        ("7.10", "b", 2),
        ("", "", 0),
    ]


def test_the_slot_of_a_new_process_replaces_the_slot_that_was_idle_longest() -> None:
    shown = shown_slots(
        {"1.0": "a", "2.0": "b", "3.0": "c"}, {"1.0": "a", "2.0": "b"}, {"4.0": "d"}
    )
    assert [slot for slot, _, _ in shown] == ["1.0", "2.0", "4.0"]


def test_an_older_worker_is_one_row() -> None:
    assert shown_slots(None, None) == [(None, "", 2)]


def test_a_worker_with_many_slots_is_one_row_and_the_other_ones_are_not() -> None:
    workers = made_up_worker("a", 1000, "x"), made_up_worker("b", 2, "y")
    rows = History().add(made_up_snapshot(*workers), "10:00:00").rows
    assert [(row.worker, row.slot) for row in rows] == [("a", None), ("b", "7.0"), ("b", "")]


def test_the_history_is_bounded() -> None:
    history = History()
    workers = [made_up_worker(f"w{number}", 1000, "x") for number in range(100)]
    for number in range(MAX_FRAMES + 60):
        shown = history.add(made_up_snapshot(*workers[: 50 + number % 50]), "10:00:00")
    assert len(shown.rows) <= MAX_ROWS
    assert len(shown.rows[0].utilisation) == MAX_FRAMES
    assert len(shown.events) == MAX_EVENTS


def test_events_name_workers_that_join_fall_silent_and_leave() -> None:
    history, worker = History(), made_up_worker("w")
    history.add(made_up_snapshot(), "1")
    history.add(made_up_snapshot(worker), "2")
    history.add(made_up_snapshot(replace(worker, state="silent")), "3")
    history.add(replace(made_up_snapshot(), error="gone"), "4")
    shown = history.add(made_up_snapshot(), "5")
    assert [(event.at, event.text) for event in shown.events] == [
        ("2", "worker w joined"),
        ("3", "worker w is silent"),
        ("4", "Redis does not answer"),
        ("5", "Redis answers again"),
    ]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 10), (200, 60)])
def test_a_frame_fits_the_terminal(width: int, height: int) -> None:
    workers = [made_up_worker(f"{HOSTILE}{number}", 4, HOSTILE) for number in range(30)]
    snapshot = History().add(made_up_snapshot(*workers), "10:00:00")
    lines = frame_lines(snapshot, width, height)
    assert len(lines) <= height
    assert {"workers", "jobs", "slots"} <= {text.partition(" (")[0] for text, _ in lines}
    assert len(printed(snapshot, width, height).splitlines()) <= height


def test_a_hostile_name_neither_styles_nor_moves_the_cursor() -> None:
    snapshot = History().add(made_up_snapshot(made_up_worker(HOSTILE, 1, HOSTILE)), "10:00:00")
    text = printed(replace(snapshot, error=HOSTILE), 200, whole=True)
    assert "a[red]b[/]\\x1b[31m" in text
    assert "\x1b[31m\x1b]" not in text
    assert not {"\x07", "\u202e"} & set(text)


@pytest.mark.parametrize(("terminal", "term"), [(False, "xterm"), (True, "dumb")])
def test_a_live_view_needs_a_terminal(
    terminal: bool, term: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    with pytest.raises(UsageError, match="--once"):
        require_terminal(Console(file=io.StringIO(), force_terminal=terminal))
