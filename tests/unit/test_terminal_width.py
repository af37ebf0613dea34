"""Text is as wide as the terminal, and has any length in a file or a pipe."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from poolrace.producer.commands import producer
from poolrace.producer.commands.terminal import output_width

RACE = str(Path(__file__).parents[2] / "tests" / "data" / "results" / "race.json")


def printed(*arguments: str, columns: str) -> list[str]:
    answer = CliRunner(env={"COLUMNS": columns}).invoke(producer, ["report", RACE, *arguments])
    assert answer.exit_code == 0, answer.output
    return answer.stdout.splitlines()


def test_a_pipe_gets_all_columns_unless_columns_is_set() -> None:
    assert any(line.startswith("candidate") and "switches/item" in line
               for line in printed(columns=""))  # fmt: skip
    assert max(map(len, printed(columns="80"))) <= 80


def test_wide_prints_all_columns() -> None:
    table = [line for line in printed("--wide", columns="80") if line.startswith("candidate")]
    assert any("switches/item" in line and "failed" in line for line in table)


@pytest.mark.parametrize("value", ["0", "-5", "wide"])
def test_columns_that_is_no_width_is_ignored(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: False, raising=False)
    assert output_width() is None
