"""docs/tools/interpreters.py: its table and its chart, from made-up times."""

import importlib.util
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from poolrace.producer.results.files import save
from poolrace.producer.results.interpreter import Interpreter, labelled
from tests.docs.pages import DOCS
from tests.unit.made_up_comparisons import compared

TIMES_S = {"single": 4.0, "threads": 2.0, "processes": 2.5}
"""Model -> seconds under every interpreter with the factor 1."""

FACTORS = {"3.11": 1.0, "3.13": 0.5, "3.13t": 0.75}
"""Label -> time in relation to the first interpreter."""


@pytest.fixture
def tool() -> Iterator[ModuleType]:
    """The tool, as a module."""
    path = DOCS / "tools" / "interpreters.py"
    spec = importlib.util.spec_from_file_location("interpreters_tool", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def interpreter(label: str) -> Interpreter:
    free_threaded = label.endswith("t")
    version = f"{label.removesuffix('t')}.1"
    return Interpreter(
        *(f"/some/where/python{label}", version, "CPython", not free_threaded, free_threaded),
        *(None, "", "x86_64"),
    )


@pytest.fixture
def folder(tool: ModuleType, tmp_path: Path) -> Path:
    """A folder with made-up results as ``measure`` stores them."""
    interpreters = labelled([interpreter(label) for label in FACTORS])
    for work in tool.WORKS:
        local = compared(
            {
                f"local:{model} @ {label}": [factor * time_s, 1.1 * factor * time_s]
                for label, factor in FACTORS.items()
                for model, time_s in TIMES_S.items()
            }
        )
        environment = replace(local.environment, interpreters=interpreters)
        save(replace(local, environment=environment), tmp_path / f"{work}.json")
        for label, factor in FACTORS.items():
            celery = compared({"celery:prefork": [3 * factor], "celery:threads": [5 * factor]})
            save(celery, tmp_path / f"{work}-celery-{label}.json")
        tool._without_paths(tmp_path / f"{work}.json")
    return tmp_path


def rows(table: str, label: str) -> list[list[str]]:
    """The cells of the rows of an interpreter, one row per workload."""
    lines = [line for line in table.splitlines() if line.startswith(f"| {label} |")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_a_row_has_the_median_spread_and_speed_up_of_each_model(
    tool: ModuleType, folder: Path
) -> None:
    for row in rows(tool.table(tool.stored(folder)), "3.11"):
        assert row[1:3] == ["4.20 s ± 0.20", "2.10 s ± 0.10 (2.00x)"]
        assert row[5] == "3.00 s ± 0.00 (1.40x)"


def test_a_model_that_an_interpreter_cannot_run_has_a_dash(tool: ModuleType, folder: Path) -> None:
    for label in FACTORS:
        for row in rows(tool.table(tool.stored(folder)), label):
            assert row[4] == "-"


def test_the_price_of_one_thread_refers_to_the_same_version_with_a_gil_or_to_the_oldest(
    tool: ModuleType, folder: Path
) -> None:
    table = tool.table(tool.stored(folder))
    prices = {label: {row[-1] for row in rows(table, label)} for label in FACTORS}
    assert prices == {"3.11": {"-"}, "3.13": {"0.50x of 3.11"}, "3.13t": {"1.50x of 3.13"}}


def test_the_results_name_no_path_of_this_machine(folder: Path) -> None:
    for file in folder.glob("*.json"):
        assert "/some/where" not in file.read_text()


def test_the_chart_has_every_interpreter_and_every_model(tool: ModuleType, folder: Path) -> None:
    chart = tool.chart(tool.stored(folder))
    for text in (*FACTORS, *tool.MODELS.values(), *(w.title for w in tool.WORKS.values())):
        assert f">{text}<" in chart, text


def test_check_fails_after_a_change_of_a_result(
    tool: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["interpreters.py", "render", str(folder)])
    tool.main()
    monkeypatch.setattr(sys, "argv", ["interpreters.py", "check", str(folder)])
    tool.main()
    file = folder / "mixed.json"
    results = json.loads(file.read_text())
    for run in results["runs"]:
        run["elapsed_s"] *= 2
    file.write_text(json.dumps(results))
    with pytest.raises(SystemExit, match="is not what the results give"):
        tool.main()


def test_a_wrong_value_is_refused(tool: ModuleType) -> None:
    comparison = compared({"local:single": [1.0]})
    wrong = replace(comparison, runs=(replace(comparison.runs[0], value=1, exact=False),))
    with pytest.raises(ValueError, match="instead of"):
        list(tool._cells("mixed", wrong))
