"""A single run that ``producer run --out`` stored: its file, its report in every format."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from poolrace.producer.analysis.slot_summary import slot_summaries
from poolrace.producer.analysis.utilisation import MAX_ROWS
from poolrace.producer.reports.formats import FORMATS
from poolrace.producer.reports.views.view import view
from poolrace.producer.results.files import load, save
from poolrace.producer.results.run import SlotShare
from poolrace.producer.results.single_run import SingleRun
from poolrace.workers.errors import UsageError
from tests.in_process import InProcess
from tests.unit.made_up_runs import SECONDS, run, single_run

SMALL = ("run", "sum", "--stop", "1e4", "--local", "threads:2", "--chunks", "6")


def test_a_loaded_run_equals_the_saved_one(tmp_path: Path) -> None:
    save(single_run(), tmp_path / "r.json")
    assert json.loads((tmp_path / "r.json").read_text())["kind"] == "run"
    assert load(tmp_path / "r.json") == single_run()


def test_a_run_without_hosts_is_refused(tmp_path: Path) -> None:
    save(single_run(), tmp_path / "r.json")
    content = json.loads((tmp_path / "r.json").read_text())
    content["environment"]["hosts"] = []
    (tmp_path / "r.json").write_text(json.dumps(content))
    with pytest.raises(UsageError, match=r"is not a run: `environment.hosts` is empty"):
        load(tmp_path / "r.json")


def test_the_report_has_value_place_slots_in_natural_order_faults_and_events() -> None:
    content = view(single_run())
    assert content.title == "sum under celery:prefork: one run on 3 slots"
    assert "sum --kernel loop over [0, 60) under celery:prefork" in content.summary
    assert content.validity.startswith("value 1770, exact: every index was counted once")
    assert content.cells == [
        ("1", "a", "1", "10", "0.000", "1.750"),
        ("2", "b", "3", "30", "0.375", "1.250"),
        ("10", "b", "2", "20", "0.625", "0.750"),
    ]
    words = " ".join(content.findings)
    assert "The run took 2.000 s, start-up of 0.50 s not included" in words
    assert "Chunks computed or waited for 50% of the time in which they ran" in words
    assert "Idle longest: slot 1 of a, 1.750 s (88%)." in words
    assert "Chunks sent more than once: 1 lost and sent again." in words
    assert content.notes[0] == "at 0.8 s: prefork@a fell silent"
    assert "celery 5.7.0" in content.environment[-1]


def test_a_wrong_value_is_the_first_line_of_the_findings() -> None:
    wrong = replace(single_run(), run=replace(run(), value=7, exact=False))
    assert not view(wrong).valid
    assert view(wrong).validity == "NOT EXACT: the value is 7; expected 1770"


def test_many_slots_are_a_row_per_host_and_unknown_idle_time_is_a_dash() -> None:
    share = SlotShare(chunks=1, indices=10, busy_s=0.5)
    many = {"a": {str(number): share for number in range(MAX_ROWS)}, "b": {"1": share}}
    content = view(replace(single_run(), run=replace(run(), shares=many, records=[])))
    assert content.cells == [
        (f"all {MAX_ROWS}", "a", str(MAX_ROWS), str(10 * MAX_ROWS), f"{MAX_ROWS / 2:.3f}", "-"),
        ("1", "b", "1", "10", "0.500", "-"),
    ]


def test_busy_and_idle_time_of_a_slot_are_within_the_run() -> None:
    for share in slot_summaries(run()):
        assert share.idle_s is not None
        assert 0 <= share.idle_s <= SECONDS


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_renders_a_run_with_its_command(name: str) -> None:
    if name in ("svg", "png"):
        pytest.importorskip("vl_convert")
    report = FORMATS[name](single_run())
    if isinstance(report, str):
        assert "sum" in report or name == "csv"
        assert (single_run().invocation in report) == (name not in ("csv", "svg"))


def test_the_csv_report_has_a_line_per_chunk() -> None:
    rows = list(csv.DictReader(io.StringIO(str(FORMATS["csv"](single_run())))))
    assert [row["mark"] for row in rows].count("duplicate") == 1
    assert len(rows) == len(run().records)


def test_run_writes_results_and_a_report_and_prints_the_run(
    producer_in_process: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    answer = producer_in_process(*SMALL, "--out", "r.json", "--report", "r.md")
    assert answer.code == 0
    assert "sum over [0, 10_000) under local:threads: 49995000, exact" in answer.out
    stored = load(producer_in_process.directory / "r.json")
    assert isinstance(stored, SingleRun)
    assert (stored.run.chunks, stored.complete) == (6, True)
    assert stored.environment.versions["celery"]
    assert stored.invocation == "producer " + " ".join(SMALL)
    written = (producer_in_process.directory / "r.md").read_text()
    assert written == FORMATS["markdown"](stored)
    report = producer_in_process("report", "r.json")
    assert report.out == FORMATS["text"](stored)


def test_run_still_prints_its_raw_values_as_json(producer_in_process: InProcess) -> None:
    printed = producer_in_process(*SMALL, "--json", "--out", "r.json").json()
    stored = load(producer_in_process.directory / "r.json")
    assert isinstance(stored, SingleRun)
    assert printed == json.loads(json.dumps(stored.run.to_json()))


def test_two_single_runs_are_not_compared(producer_in_process: InProcess) -> None:
    save(single_run(), producer_in_process.directory / "r.json")
    answer = producer_in_process("diff", "r.json", "r.json")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "producer: OLD and NEW hold one run each, whose difference may be chance; measure both with"
        " producer compare --repeat 3 or more\n"
    )


def test_a_run_and_a_comparison_are_not_compared(producer_in_process: InProcess) -> None:
    save(single_run(), producer_in_process.directory / "r.json")
    compare = Path(__file__).parents[2] / "tests/data/results/compare.json"
    answer = producer_in_process("diff", "r.json", str(compare))
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "OLD comes from producer run, NEW from producer compare" in answer.err
