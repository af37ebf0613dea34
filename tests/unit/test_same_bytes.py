"""The same results file gives the same bytes in every format, whatever the surroundings are."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from poolrace.producer.reports.formats import FORMATS
from poolrace.producer.results.files import save
from tests.unit.made_up_runs import single_run
from tests.unit.rendering import digests

ROOT = Path(__file__).parents[2]
STORED = [
    path
    for folder in ("docs/examples", "tests/data/races")
    for path in sorted((ROOT / folder).glob("*.json"))
    if '"format"' in path.read_text(encoding="utf-8")[:99]
]
"""Results files of every kind but single runs."""

SURROUNDINGS = (
    {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0",
     "PYTHONUTF8": "0", "COLUMNS": "40"},
    {"PYTHONHASHSEED": "2", "TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8", "LANG": "de_DE"},
)  # fmt: skip
"""Variables of two processes: other hash seeds, time zones, and locales, one without UTF-8."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    path = tmp_path_factory.mktemp("files") / "run.json"
    save(single_run(), path)
    return [*STORED, path]


def test_every_format_of_every_stored_file_gives_the_same_bytes_in_every_process(
    files: list[Path], tmp_path: Path
) -> None:
    assert len(files) >= 10
    here = digests(files)
    assert len(here) == len(files) * len(FORMATS)
    assert digests(files) == here
    for variables in SURROUNDINGS:
        home = tmp_path / variables["PYTHONHASHSEED"]
        home.mkdir()
        process = subprocess.run(
            [sys.executable, "-m", "tests.unit.rendering", *map(str, files)],
            cwd=ROOT, env={**os.environ, **variables, "HOME": str(home)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert process.returncode == 0, process.stderr
        assert json.loads(process.stdout) == here
