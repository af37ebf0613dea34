"""Units of the parallel tests: a group of files, a file, or a single test."""

from pathlib import Path

import pytest

from tests.scheduling import SINGLY, UNITS, unit_of

ROOT = Path(__file__).parent.parent.parent


def test_every_file_of_a_unit_exists() -> None:
    files = [*UNITS, *(f"tests/{file}.py" for file in SINGLY)]
    assert [file for file in files if not (ROOT / file).exists()] == []


@pytest.mark.parametrize(
    ("nodeid", "unit"),
    [
        ("tests/integration/test_docs.py::test_a[1::2]", "cluster of the documents"),
        ("tests/fundamentals/test_5_celery.py::test_a", "cluster of the documents"),
        ("tests/races/test_race.py::test_a[1::2]", "tests/races/test_race.py::test_a[1::2]"),
        ("tests/unit/test_chunks.py::test_a[1::2]", "tests/unit/test_chunks.py"),
    ],
)
def test_the_unit_of_a_test_is_its_group_its_file_or_itself(nodeid: str, unit: str) -> None:
    assert unit_of(nodeid) == unit
