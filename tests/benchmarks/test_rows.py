"""The rows: numbers of rounds, sizes, expected seconds, and the samples of a row."""

from dataclasses import fields, replace

import pytest

from benchmarks import measuring
from benchmarks.figures import FIGURES
from benchmarks.measuring import benchmarks
from benchmarks.peers import PEERS
from benchmarks.rows import QUICK, ROWS, Contender, Row, Sizes, expected_seconds, rows, sizes_of

LIMIT_S = 30 * 60
"""Seconds that the whole benchmark may take on two cores."""


def test_the_whole_benchmark_is_expected_to_take_less_than_half_an_hour() -> None:
    all_rows = rows(Sizes(), PEERS)
    assert [row.number for row in all_rows] == list(ROWS)
    assert all(row.seconds > 0 for row in all_rows)
    assert sum(row.seconds for row in all_rows) < LIMIT_S


def test_the_expected_seconds_grow_with_the_rounds_and_leave_out_missing_contenders() -> None:
    contender = Contender("one", (), repeat=2)
    row = Row(1, "work", (contender,), 5, 50)
    assert expected_seconds([row.repeated(10)]) == 100
    assert row.repeated(10).contenders[0].repeat is None
    missing = replace(row, contenders=(replace(contender, missing="no engine"),))
    assert expected_seconds([missing, row]) == 50


def test_quick_rows_are_measured_once() -> None:
    assert {row.repeat for row in rows(QUICK, PEERS)} == {1}


def test_every_size_belongs_to_the_contenders_of_a_row() -> None:
    used = {
        size
        for row in rows(Sizes(), PEERS)
        for contender in row.contenders
        for size in sizes_of(row.number, contender.name)
    }
    assert used == {field.name for field in fields(Sizes)} - {"repeat", "hosts"}


def test_every_figure_belongs_to_a_contender_or_to_contenders_in_turn() -> None:
    by_number = {row.number: row for row in rows(Sizes(), PEERS)}
    for figure in FIGURES:
        contenders = by_number[figure.row].contenders
        in_turn = [contender.in_turn for contender in contenders if contender.in_turn]
        names = [contender.name for contender in contenders]
        assert figure.contender in names or in_turn == [figure.key]


def test_contenders_in_turn_get_a_sample_for_each_round_from_one_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commands = []

    def measure_once(command: tuple[str, ...]) -> dict[str, list[float]]:
        commands.append(command)
        return {"seed": [1.0, 2.0], "prefork": [3.0, 8.0]}

    monkeypatch.setattr(measuring, "measure_once", measure_once)
    row = Row(10, "pairs", (Contender("pairs", ("pairs",), in_turn="elapsed_s"),), 2, 1)
    [benchmark] = benchmarks([row], Sizes(), lambda _: None, quick=False)
    assert commands == [("pairs", "--repeat", "2")]
    [figure, *_] = [figure for figure in FIGURES if figure.row == 10]
    assert benchmark.rounds(figure) == [3.0, 4.0]


def test_a_contender_takes_part_in_its_own_number_of_rounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(measuring, "measure_once", lambda _: {"elapsed_s": [1.0]})
    contenders = (Contender("often", ()), Contender("seldom", (), repeat=2))
    [benchmark] = benchmarks(
        [Row(1, "work", contenders, 4, 1)], Sizes(), lambda _: None, quick=False
    )
    measured = [sample.contender for sample in benchmark.samples]
    assert (measured.count("often"), measured.count("seldom")) == (4, 2)
