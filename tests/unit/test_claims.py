"""Results of ``producer claims``: their file, and their report in every format."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from poolrace.producer.reports.formats import FORMATS
from poolrace.producer.reports.views.view import view
from poolrace.producer.results.claims import Claims
from poolrace.producer.results.files import load, save, to_json
from poolrace.workers.errors import UsageError
from tests.in_process import InProcess
from tests.unit.made_up_claims import MADE_UP, claim, claims, interpreter, rounds

DATA = Path(__file__).parent.parent / "data"

PAIR = ("create-coroutine", "switch-coroutine")


def of_two_interpreters() -> Claims:
    """Two claims under two interpreters, of which the second one has no GIL."""
    both = [replace(claim(name), interpreter=label) for name in PAIR for label in ("3.11", "3.13t")]
    interpreters = [interpreter(), interpreter("3.13t", gil=False)]
    return replace(claims(), claims=both, interpreters=interpreters, planned=4)


def test_loaded_claims_equal_the_saved_ones(tmp_path: Path) -> None:
    save(claims(), tmp_path / "c.json")
    assert json.loads((tmp_path / "c.json").read_text())["kind"] == "claims"
    assert load(tmp_path / "c.json") == claims()


def test_a_file_of_claims_holds_no_verdict() -> None:
    """Verdicts follow from the figures, so that a better rule applies to old files, too."""
    assert "verdict" not in json.dumps(to_json(claims()))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("claims",), [], "length >= 1"),
        (("claims", 0, "name"), "A b", "matching regex"),
        (("claims", 0, "figures", 0, "unit"), "m", "Invalid enum value 'm'"),
        (("claims", 0, "figures", 0, "values"), [], "length >= 1"),
        (("claims", 0, "figures", 0, "values", 0), -1.0, ">= 0"),
        (("interpreters",), [], "length >= 1"),
        (("environment", "hosts"), [], "`environment.hosts` is empty"),
    ],
)
def test_a_damaged_file_is_refused_with_the_name_of_the_field(
    tmp_path: Path, path: Sequence[str | int], value: object, message: str
) -> None:
    content = json.loads(json.dumps(to_json(claims())))
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    (tmp_path / "c.json").write_text(json.dumps(content))
    with pytest.raises(UsageError, match=f"is not a claims: .*{message}"):
        load(tmp_path / "c.json")


def test_the_text_report_has_each_claim_with_its_verdict_and_why() -> None:
    assert FORMATS["text"](claims()) == (DATA / "claims.txt").read_text()


def test_claims_that_were_not_tested_are_not_counted() -> None:
    counted = view(claims()).validity
    assert counted == "holds: 30, depends on: 3, does not hold: 2; not tested, and not counted: 2"
    tested = counted.split("; ")[0].split(", ")
    assert sum(int(part.split(": ")[1]) for part in tested) == len(MADE_UP) - 2


def test_claims_of_two_interpreters_are_beside_each_other() -> None:
    content = view(of_two_interpreters())
    assert [row[:3] for row in content.cells] == [
        ("create-coroutine", "3.11", "holds"),
        ("create-coroutine", "3.13t", "holds"),
        ("switch-coroutine", "3.11", "holds"),
        ("switch-coroutine", "3.13t", "holds"),
    ]
    assert "3.11: Holds: " in content.findings[0]
    assert "3.13t: Holds: " in content.findings[0]
    assert len(content.findings) == len(PAIR)
    assert "Python 3.13t (CPython 3.13.7, free-threaded build, GIL off)" in content.summary


def test_claims_on_a_pool_name_the_pool() -> None:
    on_pool = replace(claims(), claims=[replace(claim("create-thread"), pool="threads")])
    assert view(on_pool).cells[0][1] == "3.11 in threads"
    assert "1 claim on pool threads" in view(on_pool).summary


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"trace"}))
def test_every_format_renders_claims_with_their_command(name: str) -> None:
    if name in ("svg", "png"):
        pytest.importorskip("vl_convert")
    report = FORMATS[name](claims())
    assert FORMATS[name](claims()) == report
    if isinstance(report, str):
        assert ("producer claims" in report) == (name not in ("csv", "svg"))
        if name in ("markdown", "html"):
            assert "A thread is created faster than a process." in report


def test_claims_have_no_trace() -> None:
    with pytest.raises(UsageError, match="a file of claims has no trace"):
        FORMATS["trace"](claims())


def test_the_csv_report_has_a_line_per_figure_and_round() -> None:
    rows = list(csv.DictReader(io.StringIO(str(FORMATS["csv"](claims())))))
    assert len(rows) == sum(5 * len(each.figures) for each in claims().claims)
    assert rows[0] == {
        "claim": "process-memory", "interpreter": "3.11", "pool": "", "figure": "code_bytes",
        "unit": "bytes", "round": "1", "value": "3000000.0",
    }  # fmt: skip


def test_the_charts_show_costs_memory_and_messages_on_logarithmic_axes() -> None:
    pytest.importorskip("altair")
    charts = {chart.name: chart for chart in view(claims()).charts}
    assert list(charts) == ["costs", "memory", "messages"]
    assert "creation: thread 45 µs" in charts["costs"].description
    assert "voluntary switch of threads 4 µs" in charts["costs"].description
    assert "forked process 879 KiB" in charts["memory"].description
    assert "prefork 2 ms" in charts["messages"].description
    for chart in charts.values():
        assert '"type": "log"' in json.dumps(chart.spec)


def test_a_figure_of_0_has_no_place_on_a_logarithmic_axis() -> None:
    pytest.importorskip("altair")
    none = replace(claim("create-coroutine"), figures=rounds({"thread_s": 1e-5, "coroutine_s": 0}))
    assert view(replace(claims(), claims=[none])).charts == ()


def test_incomplete_claims_say_so_in_every_report() -> None:
    cut = replace(claims(), claims=claims().claims[:3], complete=False, interruption="interrupted")
    for name in set(FORMATS) - {"trace", "png"}:
        assert "incomplete: 3 of 37 claims, interrupted" in str(FORMATS[name](cut)), name


def test_diff_refuses_claims(producer_in_process: InProcess) -> None:
    save(claims(), producer_in_process.directory / "c.json")
    answer = producer_in_process("diff", "c.json", "c.json")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "producer: OLD and NEW hold claims, which have verdicts and not one time each; read both"
        " with producer report\n"
    )


def test_report_renders_stored_claims(producer_in_process: InProcess) -> None:
    save(claims(), producer_in_process.directory / "c.json")
    answer = producer_in_process("report", "c.json", "--format", "csv")
    assert (answer.code, answer.out) == (0, FORMATS["csv"](claims()))
