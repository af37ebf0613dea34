"""Text reports fit the terminal: no line is longer than its width."""

from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from poolrace.producer.reports.fitting import table, wrapped
from poolrace.producer.reports.formats import text
from poolrace.producer.reports.views.column import Column, spread_text
from poolrace.producer.reports.views.view import view
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import load

EXAMPLES = Path(__file__).parents[2] / "tests" / "data" / "results"

KINDS = ("compare", "sweep", "scale", "race", "map")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [40, 80, 99, 200])
def test_no_line_is_longer_than_the_terminal(kind: str, width: int) -> None:
    lines = text.render(load(EXAMPLES / f"{kind}.json"), width).splitlines()
    assert max(map(cell_len, lines)) <= width


@pytest.mark.parametrize("kind", KINDS)
def test_wide_shows_all_columns_on_a_narrow_terminal(kind: str) -> None:
    results = load(EXAMPLES / f"{kind}.json")
    header = "  ".join(view(results).header).split()
    shown = [line.split() for line in text.render(results, 80, wide=True).splitlines()]
    assert header in shown
    assert header in [line.split() for line in text.render(results).splitlines()]


def test_a_race_at_80_columns_keeps_candidates_in_rows_and_names_the_hidden_columns() -> None:
    results = load(EXAMPLES / "race.json")
    lines = text.render(results, 80).splitlines()
    rule = next(number for number, line in enumerate(lines) if line.startswith("---"))
    assert lines[rule - 1].split()[:2] == ["candidate", "items/s"]
    assert lines[rule + 1].startswith(view(results).cells[0][0])
    assert any("not shown, add --wide: " in line for line in lines)


def test_a_wide_character_counts_as_two_cells() -> None:
    lines = table([Column("名前"), Column("s")], [["日本語", "1"], ["a", "22"]], 80)
    assert {cell_len(line) for line in lines} == {10}
    assert all(cell_len(line) <= 9 for line in wrapped("日本語" * 5 + " ab 🐢🐢🐢🐢🐢", 9))


def test_a_row_that_fits_no_terminal_becomes_a_list() -> None:
    columns = [Column("candidate"), Column("p50", 1, "p50 ms")]
    lines = table(columns, [["x" * 50, "7"]], 40)
    assert lines[-1] == "  p50 ms: 7"
    assert max(map(len, lines)) <= 40


def test_lines_are_wrapped_at_words_with_a_hanging_indent() -> None:
    assert wrapped("  slot 28297.2: [0, 5) [5, 9), 1.25 s busy", 24) == [
        "  slot 28297.2: [0, 5)", "    [5, 9), 1.25 s busy",
    ]  # fmt: skip


def test_a_single_run_has_no_spread() -> None:
    results = load(EXAMPLES / "compare.json")
    assert isinstance(results, Comparison)
    first = {run.model: run for run in reversed(results.runs)}
    single = replace(results, runs=tuple(first.values()), repeat=1)
    spreads = {row[view(single).header.index("±")] for row in view(single).cells}
    assert spreads == {"-"}
    assert spread_text(0.25) == "0.250"
