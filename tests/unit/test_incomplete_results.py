"""A measurement that ends early keeps what it measured, and every report says so."""

import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poolrace.producer.commands.output import Output
from poolrace.producer.errors import JobFailed
from poolrace.producer.executors.models import Model
from poolrace.producer.experiments.compare import compare
from poolrace.producer.experiments.dispatch import Observer, ignore_progress
from poolrace.producer.experiments.plans import Case, Plan
from poolrace.producer.jobs.job import Job
from poolrace.producer.race import pool_map
from poolrace.producer.race.options import MapOptions
from poolrace.producer.race.pool_map_strategy import MapStrategy
from poolrace.producer.race.requests import GivenUp
from poolrace.producer.reports.formats import FORMATS
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import Results, load, save
from poolrace.producer.results.pool_map import PoolMap
from poolrace.producer.results.race import Race
from poolrace.producer.settings import Settings
from poolrace.workers.errors import ClusterError
from poolrace.workers.workloads import make_workload
from tests.unit.made_up_races import computing_in_python

EXAMPLES = Path(__file__).parent.parent.parent / "tests" / "data" / "results"

ENDS: list[tuple[BaseException, str]] = [
    (KeyboardInterrupt(), "interrupted"),
    (SystemExit(128 + signal.SIGTERM), "interrupted"),
    (ClusterError("Redis does not answer"), "cluster lost"),
    (JobFailed("a chunk failed"), "failed"),
]


def compare_until(error: BaseException, runs: int, settings: Settings, keep: Any) -> Comparison:
    """Compare three rounds of two models; the error is raised after this number of runs."""
    started = 0

    def make_observer(_title: str) -> Observer:
        nonlocal started
        started += 1
        if started > runs:
            raise error
        return ignore_progress

    job = Job(make_workload("sum", {}), 0, 100)
    plan = Plan(job, [Case(Model("local", "single")), Case(Model("local", "threads", 2))], 3)
    return compare(plan, settings, make_observer=make_observer, keep=keep)


@pytest.mark.parametrize(("error", "interruption"), ENDS)
def test_a_comparison_that_ends_early_keeps_its_runs_and_raises_the_same_error(
    error: BaseException, interruption: str, settings: Settings
) -> None:
    kept: list[Comparison] = []
    with pytest.raises(type(error)) as raised:
        compare_until(error, 3, settings, kept.append)
    assert raised.value is error
    [comparison] = kept
    assert len(comparison.runs) == 3
    assert (comparison.complete, comparison.planned) == (False, 6)
    assert comparison.interruption == interruption


def test_a_comparison_that_ends_before_its_first_run_keeps_nothing(settings: Settings) -> None:
    kept: list[Comparison] = []
    with pytest.raises(KeyboardInterrupt):
        compare_until(KeyboardInterrupt(), 0, settings, kept.append)
    assert kept == []


def test_a_comparison_that_runs_to_its_end_is_complete(settings: Settings) -> None:
    comparison = compare_until(KeyboardInterrupt(), 6, settings, pytest.fail)
    assert comparison.complete
    assert comparison.planned == len(comparison.runs) == 6
    assert "incomplete" not in str(FORMATS["text"](comparison))


def test_a_map_that_ends_early_keeps_its_laps(monkeypatch: pytest.MonkeyPatch) -> None:
    laps = load_example("map", PoolMap).laps

    def measure(_options: object, strategy: MapStrategy, *_: object) -> None:
        strategy.laps += laps[:5]
        raise KeyboardInterrupt

    monkeypatch.setattr(pool_map, "_measure", measure)
    kept: list[PoolMap] = []
    options = MapOptions(0.05, [0.0, 0.5], [2, 8], repeat=3)
    with pytest.raises(KeyboardInterrupt):
        pool_map.measure_map(options, keep=kept.append)
    assert kept[0].laps == laps[:5]
    assert (kept[0].complete, kept[0].planned, kept[0].interruption) == (False, 24, "interrupted")


def test_a_map_whose_budget_ends_before_a_lap_is_an_error_that_names_the_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def measure(*_: object) -> None:
        raise GivenUp

    monkeypatch.setattr(pool_map, "_measure", measure)
    with pytest.raises(JobFailed, match="within the budget of 1 s; give a higher --budget-s"):
        pool_map.measure_map(MapOptions(0.05, [0.0], [2], budget_s=1.0))


def load_example(name: str, kind: type[PoolMap]) -> PoolMap:
    results = load(EXAMPLES / f"{name}.json")
    assert isinstance(results, kind)
    return results


def cut(results: Results, done: int) -> Results:
    """The results as they are when the measurement is interrupted after so many runs or laps."""
    planned: dict[str, Any] = {"complete": False, "interruption": "interrupted"}
    if isinstance(results, Comparison):
        return replace(results, runs=results.runs[:done], planned=27, **planned)
    if isinstance(results, PoolMap):
        return replace(results, laps=results.laps[:done], planned=27, **planned)
    assert isinstance(results, Race)
    return replace(results, laps=results.laps[:done], finalists=[], **planned)


@pytest.mark.parametrize("name", ["compare", "sweep", "scale", "race", "map"])
def test_each_report_says_how_much_was_measured_wherever_the_measurement_ended(
    name: str, tmp_path: Path
) -> None:
    whole = load(EXAMPLES / f"{name}.json")
    assert isinstance(whole, Comparison | Race | PoolMap)
    unit = "runs" if isinstance(whole, Comparison) else "laps"
    number_of_all = len(whole.runs if isinstance(whole, Comparison) else whole.laps)
    for done in range(1, 1 + number_of_all, 1 + number_of_all // 12):
        results = cut(whole, done)
        number = str(done) if name == "race" else f"{done} of 27"
        save(results, tmp_path / "r.json")
        assert load(tmp_path / "r.json") == results
        for format_, render in FORMATS.items():
            if format_ not in ("png", "trace" if name == "map" else ""):
                sentence = f"incomplete: {number} {unit}, interrupted"
                assert sentence in str(render(results)), (format_, done)


def interrupt(output: Output, *measured: Results) -> None:
    with output.keeping_incomplete() as keep:
        for results in measured:
            keep(results)
        raise KeyboardInterrupt


def test_an_interrupted_command_writes_all_outputs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, report = tmp_path / "r.json", tmp_path / "r.md"
    raced = replace(computing_in_python(), complete=False, interruption="interrupted")
    with pytest.raises(KeyboardInterrupt):
        interrupt(Output(out, report, as_json=True), raced)
    assert load(out) == raced
    assert "incomplete: " in report.read_text()
    printed = json.loads(capsys.readouterr().out)
    assert (printed["complete"], printed["interruption"]) == (False, "interrupted")


def test_results_that_cannot_be_written_do_not_hide_the_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("poolrace.producer.commands.output.save", fail)
    with pytest.raises(KeyboardInterrupt):
        interrupt(Output(tmp_path / "r.json", None, as_json=False), computing_in_python())
    assert "cannot write what was measured: No space left on device" in caplog.text


def test_nothing_is_written_if_nothing_was_measured(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupt(Output(tmp_path / "r.json", None, as_json=False))
    assert list(tmp_path.iterdir()) == []
