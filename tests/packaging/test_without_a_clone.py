"""Installed as a tool, poolrace needs no clone: in an empty directory it runs the demo."""

from pathlib import Path

from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import load
from tests.packaging.conftest import SharedEnvironment, run


def test_the_demo_runs_in_an_empty_directory(shared: SharedEnvironment, tmp_path: Path) -> None:
    demo = (shared.program("poolrace"), "demo", "--stop", "1e4", "--repeat", "1")
    output = run(*demo, cwd=tmp_path, env=shared.variables)
    assert "local:threads" in output
    assert "poolrace up" in output
    assert {path.name for path in tmp_path.iterdir()} == {"results.json", "report.html"}
    results = load(tmp_path / "results.json")
    assert isinstance(results, Comparison)
    assert len(results.runs) == 9
