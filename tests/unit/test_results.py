"""Results files are read back unchanged; any other file is refused with a message."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from poolrace.producer.executors.models import Model
from poolrace.producer.experiments.compare import compare
from poolrace.producer.experiments.plans import Case, Plan
from poolrace.producer.jobs.job import Job
from poolrace.producer.reports.formats import FORMATS
from poolrace.producer.reports.views.run import render
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import FORMAT, load, require_writable, save, write_file
from poolrace.producer.results.run import Event, SlotShare
from poolrace.producer.settings import Settings
from poolrace.workers.errors import UsageError
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.workloads import make_workload


@pytest.fixture
def comparison(settings: Settings) -> Comparison:
    job = Job(make_workload("sum", {}), 0, 10_000)
    cases = [Case(Model("local", "single")), Case(Model("local", "threads", 2))]
    return compare(Plan(job, cases, repeat=3), settings)


def test_runs_of_models_are_interleaved_and_the_order_rotates(comparison: Comparison) -> None:
    one, two = "local:single", "local:threads"
    assert [run.model for run in comparison.runs] == [one, two, two, one, one, two]


def test_loaded_results_equal_the_saved_ones(comparison: Comparison, tmp_path: Path) -> None:
    save(comparison, tmp_path / "r.json")
    assert load(tmp_path / "r.json") == comparison


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_of_a_file_has_the_same_bytes_each_time(
    name: str, comparison: Comparison, tmp_path: Path
) -> None:
    save(comparison, tmp_path / "r.json")
    first, second = (FORMATS[name](load(tmp_path / "r.json")) for _ in range(2))
    assert first == second == FORMATS[name](comparison)
    for model in ("local:single", "local:threads"):
        assert name == "png" or model in str(first)


@pytest.fixture
def two_hosts(comparison: Comparison) -> Comparison:
    """A run in which a second host on the same machine joined and computed a quarter."""
    share = {"0": SlotShare(chunks=3, indices=7500, busy_s=0.3)}
    joined = {"0": SlotShare(chunks=1, indices=2500, busy_s=0.1)}
    run = replace(
        comparison.runs[-1],
        hosts=2,
        shares={"here": share, "there": joined},
        events=[Event(0.5, "threads@there joined with 1 slot(s)")],
    )
    facts = replace(HostFacts.collect("here"), cores=1)
    environment = replace(comparison.environment, hosts=[facts, replace(facts, host="there")])
    return replace(comparison, runs=(run,), environment=environment)


def test_the_text_of_a_run_has_shares_of_hosts_and_events(two_hosts: Comparison) -> None:
    text = render(two_hosts.runs[-1])
    assert "2 host(s) on 1 machine(s), whose cores they share" in text
    assert "here: 75.0% of the indices in 3 chunk(s) on 1 slot(s)" in text
    assert "there: 25.0% of the indices in 1 chunk(s) on 1 slot(s)" in text
    assert "at 0.5 s: threads@there joined with 1 slot(s)" in text


@pytest.mark.parametrize("name", ["text", "markdown", "html"])
def test_a_report_has_shares_of_hosts_events_and_shared_cores(
    name: str, two_hosts: Comparison
) -> None:
    text = str(FORMATS[name](two_hosts))
    assert "here 75.0%, there 25.0%" in text
    assert "run 1, local:threads, at 0.5 s: threads@there joined with 1 slot(s)" in text
    assert "here, there: 1 cores" in text
    assert "2 of these hosts share the cores of one machine" in text


def test_a_results_file_holds_runs_environment_and_versions(
    comparison: Comparison, tmp_path: Path
) -> None:
    save(comparison, tmp_path / "r.json")
    data = json.loads((tmp_path / "r.json").read_text())
    assert data["format"] == FORMAT
    assert len(data["runs"]) == 6
    assert data["environment"]["versions"]["celery"]
    assert data["environment"]["hosts"][0]["cores"] >= 1


def test_a_cut_or_foreign_file_is_refused(comparison: Comparison, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    save(comparison, path)
    whole = path.read_text()

    def of_format(version: str) -> str:
        return whole.replace(f'"format": {FORMAT}', f'"format": {version}', 1)

    refused = {
        "cut in half": (whole[: len(whole) // 2], "not valid JSON"),
        "of a newer version": (of_format("99"), "version 99, .*; update poolrace"),
        "of an older version": (of_format("3"), "version 3, .*; create it again"),
        "of a version in words": (of_format('"five"'), "version 'five', .*; create it again"),
        "of a version in a list": (of_format("[5]"), r"version \[5\], .*; create it again"),
        "not an object": ("[1, 2]", "no format version"),
        "without runs": (f'{{"format": {FORMAT}, "kind": "comparison"}}', "not a comparison"),
        "of one run": (
            json.dumps(comparison.runs[0].to_json()),
            "perhaps the output of run --json",
        ),
        "nested deeply": ('{"format": 4, "x": ' + 900 * "[" + 900 * "]" + "}", "recursion depth"),
        "of a list as kind": (f'{{"format": {FORMAT}, "kind": []}}', r"of kind \[\]"),
        "of another kind": (f'{{"format": {FORMAT}, "kind": "song"}}', "of kind 'song'"),
        "with other fields": (
            f'{{"format": {FORMAT}, "kind": "comparison", "runs": [{{"a": 1}}]}}',
            "not a comparison",
        ),
        "empty": ("", "not valid JSON"),
    }
    assert_refused(path, refused)


def test_a_wrong_field_is_refused_by_its_name(comparison: Comparison, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    save(comparison, path)
    whole = path.read_text()
    refused = {
        "with no run": (
            json.dumps({**json.loads(whole), "runs": []}),
            r"Expected `array` of length >= 1 - at `\$\.runs`",
        ),
        "with a negative time": (
            re.sub(r'"elapsed_s": \S+', '"elapsed_s": -1,', whole, count=1),
            r"`float` >= 1e-09 - at `\$\.runs\[0\]\.elapsed_s`",
        ),
        "with a wrong value": (
            re.sub(r'"value": \d+,\n  +"expected"', '"value": 7, "expected"', whole, count=1),
            r"`value` is not `expected`.* at `\$\.runs\[0\]`",
        ),
        "with another range": (whole.replace('"stop": 10000', '"stop": 9', 1), "`stop` of a run"),
        "without hosts": (
            json.dumps({**json.loads(whole), "environment": {"hosts": [], "versions": {}}}),
            "`environment.hosts` is empty",
        ),
        "with markup as a model": (
            whole.replace("local:single", "local:<img src=x onerror=alert(1)>", 1),
            r"at `\$\.runs\[0\]\.model`",
        ),
        "with a long text": (
            json.dumps({**json.loads(whole), "varies": "x" * 10**6}),
            r"is not a comparison: .{,250}at `\$\.varies`",
        ),
    }
    assert_refused(path, refused)


def assert_refused(path: Path, refused: dict[str, tuple[str, str]]) -> None:
    for damage, (text, words) in refused.items():
        path.write_text(text)
        with pytest.raises(UsageError, match=words):
            raise AssertionError(damage, load(path))


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_bytes(bytes(range(256)))
    with pytest.raises(UsageError, match="not valid JSON"):
        load(tmp_path / "r.json")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        load(tmp_path / "none.json")


def test_big_integers_are_stored_exactly(settings: Settings, tmp_path: Path) -> None:
    sys.set_int_max_str_digits(0)
    job = Job(make_workload("factorial", {"wait_s": 0.0}), 3000, 3001)
    comparison = compare(Plan(job, [Case(Model("local", "single"))]), settings)
    save(comparison, tmp_path / "r.json")
    assert load(tmp_path / "r.json") == comparison
    assert comparison.runs[0].value == job.expected()
    sys.set_int_max_str_digits(4300)


def test_a_path_that_cannot_be_written_is_refused_before_measuring(tmp_path: Path) -> None:
    require_writable(tmp_path / "new.json")
    assert list(tmp_path.iterdir()) == []
    for path in (tmp_path / "missing" / "r.json", tmp_path):
        with pytest.raises(UsageError, match="cannot write"):
            require_writable(path)


def test_an_error_while_writing_leaves_the_file_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_file(path, "half \ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
