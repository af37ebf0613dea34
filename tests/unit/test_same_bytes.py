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
EXAMPLES = [
    ROOT / "tests" / "data" / "results" / f"{name}.json"
    for name in ("compare", "sweep", "scale", "race", "map")
]
"""Results files of every kind but single runs. The others take 15 s of CPU time more."""

SURROUNDINGS = {
    "PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0",
    "PYTHONUTF8": "0", "COLUMNS": "40",
}  # fmt: skip
"""Variables of another process: its hash seed, its time zone, and a locale without UTF-8."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    path = tmp_path_factory.mktemp("files") / "run.json"
    save(single_run(), path)
    return [*EXAMPLES, path]


@pytest.mark.timeout(400)
def test_a_file_gives_the_same_bytes_twice_and_in_a_process_with_other_surroundings(
    files: list[Path], tmp_path: Path
) -> None:
    here = digests(files)
    assert len(here) == len(files) * len(FORMATS)
    assert digests(files) == here
    process = subprocess.run(
        [sys.executable, "-m", "tests.unit.rendering", *map(str, reversed(files))],
        cwd=ROOT, env={**os.environ, **SURROUNDINGS, "HOME": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout) == here
