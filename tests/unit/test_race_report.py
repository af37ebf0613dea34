"""Stored races and their reports."""

from dataclasses import replace
from pathlib import Path

import pytest

from poolrace.producer.analysis.race_verdict import judge
from poolrace.producer.reports.formats import FORMATS, csv, text
from poolrace.producer.results.files import load, save
from poolrace.workers.errors import UsageError
from tests.unit.made_up_races import computing_in_python


def test_the_command_of_a_markdown_report_can_be_pasted() -> None:
    raced = computing_in_python()
    several = replace(raced, laps=tuple(
        replace(lap, candidate=replace(lap.candidate, workers=2))
        if lap.candidate.pool == "prefork" else lap for lap in raced.laps
    ), finalists=[replace(one, workers=2) if one.pool == "prefork" else one
                  for one in raced.finalists])  # fmt: skip
    command = judge(several).worker_command
    assert " | xargs " in command
    assert f"\n```sh\n{command}\n```\n" in FORMATS["markdown"](several)


def test_a_race_is_stored_and_rendered_like_a_comparison(tmp_path: Path) -> None:
    raced = computing_in_python()
    save(raced, tmp_path / "r.json")
    read = load(tmp_path / "r.json")
    assert read == raced
    for render in FORMATS.values():
        assert render(read) == render(raced)
    assert "prefork" in text.render(raced)


def test_a_file_with_an_invalid_lap_is_refused(tmp_path: Path) -> None:
    save(computing_in_python(), tmp_path / "r.json")
    whole = (tmp_path / "r.json").read_text()
    (tmp_path / "r.json").write_text(whole.replace('"wall_s": 1.0', '"wall_s": "long"', 1))
    with pytest.raises(UsageError, match="is not a race"):
        load(tmp_path / "r.json")


def test_a_csv_has_one_line_per_lap() -> None:
    raced = computing_in_python()
    assert len(csv.render(raced).splitlines()) == 1 + len(raced.laps)
