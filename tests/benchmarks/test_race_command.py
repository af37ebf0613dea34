"""The benchmark of races from end to end: real workers, with tiny sizes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest

from benchmarks.race.apps import APPS, SERVER, app_named
from benchmarks.race.measuring import key_of
from benchmarks.race.serving import busy_process, environment_of
from tests.conftest import wait_until

ROOT = Path(__file__).parent.parent.parent


def bench_race(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.race", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.timeout(250)
def test_a_quick_benchmark_stores_oracle_and_races_and_measures_no_oracle_twice(
    tmp_path: Path,
) -> None:
    arguments = ("--quick", "--apps", "blocking", "--out", str(tmp_path))
    first = bench_race(*arguments)
    assert first.returncode == 0, first.stderr
    assert "quick results are not compared with earlier ones" in first.stdout
    assert (tmp_path / "quick" / "race-latest.md").read_text() in first.stdout
    [oracle] = (tmp_path / "quick" / "oracles").iterdir()
    measured = json.loads(oracle.read_text())["measured"]
    assert {"threads"} <= {entry["candidate"]["pool"] for entry in measured}
    assert all(entry["peak_memory_bytes"] > 0 for entry in measured)
    [races] = (tmp_path / "quick" / "races").iterdir()
    [run] = json.loads(races.read_text())["runs"]
    assert run["executions"] > 0
    if run["recommended"]:
        assert 0.0 <= run["regret"] <= 1.0
    again = bench_race(*arguments)
    assert again.returncode == 0, again.stderr
    assert "oracle of blocking, " not in again.stderr
    assert "race 1/1 of blocking: " in again.stderr


def test_unknown_apps_are_refused_with_the_known_names() -> None:
    answer = bench_race("--apps", "nothing,hashing")
    assert answer.returncode == 2
    assert answer.stderr.startswith("bench-race: --apps nothing: choose from http, blocking, ")


def test_an_app_has_its_server_and_variables_while_it_is_measured() -> None:
    with environment_of(app_named("http")):
        url = os.environ[SERVER]
        with urlopen(f"{url}/page") as answer:
            assert answer.read() == b"hello"
    assert SERVER not in os.environ
    with pytest.raises(URLError):
        urlopen(url)


def test_a_busy_process_computes_until_the_block_ends() -> None:
    before = set(psutil.Process().children())
    with busy_process():
        [process] = set(psutil.Process().children()) - before
        wait_until(lambda: process.cpu_times().user > 0.3)
    assert not process.is_running()


def test_the_key_of_an_oracle_depends_on_the_machine_and_on_the_app() -> None:
    keys = [key_of(app) for app in APPS]
    assert len({json.dumps(key) for key in keys}) == len(APPS)
    assert key_of(app_named("hashing")) == key_of(app_named("hashing"))
    for key in keys:
        assert {"cpu", "cores", "memory_gib", "python", "celery", "files"} <= key.keys()
        assert key["memory_gib"] > 0
