"""Storing and rendering a benchmark, and the command line from end to end."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.history import values_over_time
from benchmarks.peers import PEERS
from benchmarks.plot import draw
from benchmarks.results import load, save, stored
from benchmarks.tables import configured, history, missed, render
from poolrace.workers.errors import UsageError
from tests.benchmarks.conftest import MakeBenchmark

ROOT = Path(__file__).parent.parent.parent


def bench(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def test_a_stored_benchmark_is_read_back_unchanged(
    make_benchmark: MakeBenchmark, tmp_path: Path
) -> None:
    benchmark = make_benchmark([1.0, 1.1])
    path = save(benchmark, tmp_path)
    assert path.name == f"20260101T000000Z-{benchmark.machine_id}.json"
    assert load(path) == benchmark


def test_stored_benchmarks_come_newest_first(make_benchmark: MakeBenchmark, tmp_path: Path) -> None:
    days = [f"2026-01-0{day}T00:00:00+00:00" for day in (1, 3, 2)]
    for day in days:
        save(make_benchmark([1.0], made_at=day), tmp_path)
    assert [benchmark.made_at for benchmark in stored(tmp_path)] == sorted(days, reverse=True)


@pytest.mark.parametrize("text", ["", "{}", '{"format": 0, "kind": "benchmark"}', "[1]"])
def test_a_file_that_is_not_a_benchmark_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "file.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"file\.json"):
        load(path)


def test_the_tables_show_reached_targets_and_contenders_left_out(
    make_benchmark: MakeBenchmark,
) -> None:
    text = render(make_benchmark([1.01, 1.02, 1.20]))
    assert "| time / the seed's program | 1.020 | 0.095 | 3 | <= 1.03 | yes |" in text
    assert "| rate / Ray's | - | - | 0 | >= 1 (aim) | not measured |" in text
    assert "- row 7 hosts 1: no Docker engine answers" in text
    assert "| poolrace | 1.020 | - | 3,000 |" in text


def test_a_missed_target_is_not_reached(make_benchmark: MakeBenchmark) -> None:
    benchmark = make_benchmark([1.2])
    assert "| 1.200 | 0 | 1 | <= 1.03 | no |" in render(benchmark)
    assert missed(benchmark)[0] == "row 1: time / the seed's program: 1.200, target <= 1.03"


def test_targets_that_are_reached_aimed_at_or_not_measured_are_not_missed(
    make_benchmark: MakeBenchmark,
) -> None:
    lines = missed(make_benchmark([1.01]))
    assert [line.partition(":")[0] for line in lines] == ["row 3"]  # 3,000 chunks/s


def test_the_history_has_a_column_for_each_benchmark_and_a_line_for_each_figure(
    make_benchmark: MakeBenchmark,
) -> None:
    new, old = make_benchmark([1.0], made_at="2"), make_benchmark([1.5], made_at="1")
    lines = history(values_over_time([new, old], new)).splitlines()
    assert lines[0] == "| # | figure | target | 2 | 1 |"
    assert lines[2] == "| 1 | time / the seed's program | <= 1.03 | 1.000 | 1.500 |"


def test_the_same_file_gives_the_same_bytes(make_benchmark: MakeBenchmark, tmp_path: Path) -> None:
    stored_path = save(make_benchmark([1.0, 1.1]), tmp_path)
    written = []
    for name in ("one", "two"):
        answer = bench("benchmarks.report", str(stored_path), "--out", str(tmp_path / name))
        assert answer.returncode == 0, answer.stderr
        written.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert sorted(written[0]) == ["latest.md", "peers.png", "peers.svg"]
    assert written[0] == written[1]


def test_charts_of_a_single_row_can_be_drawn(make_benchmark: MakeBenchmark, tmp_path: Path) -> None:
    assert all(path.stat().st_size for path in draw(make_benchmark([1.0]), tmp_path))


def test_a_report_against_another_machine_is_refused(
    make_benchmark: MakeBenchmark, tmp_path: Path
) -> None:
    new = save(make_benchmark([1.0]), tmp_path)
    other = save(make_benchmark([1.0], cores=64), tmp_path)
    answer = bench("benchmarks.report", str(new), "--against", str(other))
    assert answer.returncode == 2
    assert "cores: 64 and 2" in answer.stderr


def test_a_quick_benchmark_writes_its_files_and_is_never_compared(tmp_path: Path) -> None:
    out = str(tmp_path)
    answer = bench("benchmarks", "--quick", "--rows", "1,5,8,9", "--peers", "mp-pool", "--out", out)
    assert answer.returncode == 0, answer.stderr
    assert "quick results are not compared with earlier ones" in answer.stdout
    assert "| multiprocessing.Pool |" in answer.stdout
    suffixes = {path.suffix for path in (tmp_path / "quick").iterdir()}
    assert suffixes == {".json", ".md", ".svg", ".png"}
    assert not list(stored(tmp_path))


def test_unknown_rows_are_refused() -> None:
    answer = bench("benchmarks", "--rows", "1,13")
    assert answer.returncode == 2
    assert answer.stderr == "benchmarks: --rows 1,13: give numbers from 1 to 12, as in 1,2,9\n"


def test_the_configuration_of_every_peer_is_shown() -> None:
    assert len(configured().splitlines()) == 2 + len(PEERS)
