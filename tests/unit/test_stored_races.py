"""The verdict on each stored race stays byte for byte the same."""

import json
from pathlib import Path

import pytest

from poolrace.producer.reports.views.view import view
from poolrace.producer.results.files import load

STORED = sorted(
    path
    for path in (Path(__file__).parent.parent / "data" / "races").glob("*.json")
    if not path.name.endswith(".verdict.json")
)
"""Real races of the examples on two cores, with every kind of limit but memory."""


def test_there_are_stored_races() -> None:
    assert len(STORED) >= 6


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_the_verdict_of_a_stored_race_is_byte_for_byte_the_stored_verdict(path: Path) -> None:
    verdict = json.dumps(view(load(path)).figures, indent=2) + "\n"
    assert verdict == path.with_suffix(".verdict.json").read_text()
