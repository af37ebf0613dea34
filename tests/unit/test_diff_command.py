"""``producer diff`` on the command line: formats, files, and the check for CI."""

import json
from pathlib import Path

import pytest

from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import save
from tests.in_process import InProcess
from tests.unit.made_up_diffs import EXAMPLES, compared, on_machine

SPREAD = (0.99, 1.0, 1.01)


def save_pair(directory: Path, *, slower: float = 1.0) -> None:
    """Write ``old.json`` and ``new.json``; one of the two cases of the new file takes longer."""
    save(measured(1.0), directory / "old.json")
    save(measured(slower), directory / "new.json")


def measured(factor: float) -> Comparison:
    return compared({"local:threads": [factor * s for s in SPREAD], "local:greenlets": SPREAD})


@pytest.mark.parametrize("condition", ["slower:10%", "slower:10", "slower:0.5%", "slower:40%"])
def test_fail_if_ends_with_exit_code_1_and_names_the_slower_cases(
    producer_in_process: InProcess, tmp_path: Path, condition: str
) -> None:
    save_pair(tmp_path, slower=1.5)
    answer = producer_in_process("diff", "old.json", "new.json", "--fail-if", condition)
    assert answer.code == 1
    assert "local:threads, 2 slots" in answer.out
    limit = condition.removeprefix("slower:").removesuffix("%")
    assert answer.err == (
        f"producer: slower by more than {limit}%: local:threads, 2 slots (1.50 times as long)\n"
    )


@pytest.mark.parametrize(("slower", "condition"), [(1.5, "slower:60%"), (1.0, "slower:10%"),
                                                   (0.5, "slower:10%")])  # fmt: skip
def test_fail_if_ends_with_exit_code_0_if_no_case_is_that_much_slower(
    producer_in_process: InProcess, tmp_path: Path, slower: float, condition: str
) -> None:
    save_pair(tmp_path, slower=slower)
    answer = producer_in_process("diff", "old.json", "new.json", "--fail-if", condition)
    assert (answer.code, answer.err) == (0, "")


def test_fail_if_says_that_it_can_find_nothing_in_single_runs(
    producer_in_process: InProcess, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save(compared({"local:threads": [1.0]}), tmp_path / "old.json")
    save(compared({"local:threads": [9.0]}), tmp_path / "new.json")
    answer = producer_in_process("diff", "old.json", "new.json", "--fail-if", "slower:10%")
    assert answer.code == 0
    assert "--fail-if can find nothing" in caplog.text


def test_fail_if_fails_for_a_wrong_value_however_fast(
    producer_in_process: InProcess, tmp_path: Path
) -> None:
    save_pair(tmp_path, slower=0.5)
    content = json.loads((tmp_path / "new.json").read_text())
    content["runs"][0]["exact"] = False
    (tmp_path / "new.json").write_text(json.dumps(content))
    answer = producer_in_process("diff", "old.json", "new.json", "--fail-if", "slower:10%")
    assert answer.code == 1
    assert "not exact" in answer.err


@pytest.mark.parametrize(
    "arguments",
    [("--fail-if", "faster:10%"), ("--fail-if", "slower"), ("--fail-if", "slower:nan"),
     ("--fail-if", "slower:-1%"), ("--margin", "0"), ("--margin", "wide"), ("--margin", "1e9"),
     ("--format", "trace"), ("--report", "diff.pdf"), ("--report", "diff.json"),
     ("--out", "diff.md"), ("--out", "old.json"), ("--json", "--format", "csv")],
    ids=" ".join,
)  # fmt: skip
def test_options_that_do_not_fit_are_refused_in_one_line(
    producer_in_process: InProcess, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    save_pair(tmp_path)
    before = (tmp_path / "old.json").read_text()
    answer = producer_in_process("diff", "old.json", "new.json", *arguments)
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert (tmp_path / "old.json").read_text() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.json", "old.json"]


def test_the_diff_is_printed_and_written_in_every_format(
    producer_in_process: InProcess, tmp_path: Path
) -> None:
    save_pair(tmp_path, slower=2.0)
    files = ("--out", "diff.json", "--report", "diff.html")
    answer = producer_in_process("diff", "old.json", "new.json", *files)
    assert answer.code == 0
    image = producer_in_process("diff", "old.json", "new.json", "--format", "svg").out
    assert image.startswith("<svg")
    assert "slower 2.00" in image
    assert "Slower: local:threads, 2 slots (2.00 times as long)." in answer.out
    assert "slower" in (tmp_path / "diff.html").read_text()
    stored = json.loads((tmp_path / "diff.json").read_text())
    assert [case["result"] for case in stored["cases"]] == ["slower", "same"]
    for option in (("--json",), ("--format", "json")):
        assert (
            json.loads(producer_in_process("diff", "old.json", "new.json", *option).out) == stored
        )
    markdown = producer_in_process("diff", "old.json", "new.json", "--format", "markdown").out
    assert "| local:threads, 2 slots | 1 | 2 | 3 + 3 | 2.000 |" in markdown
    table = producer_in_process("diff", "old.json", "new.json", "--format", "csv").out
    assert table.startswith("case,old,new,old_values,new_values,ratio,")


def test_unlike_machines_are_compared_and_named(
    producer_in_process: InProcess, tmp_path: Path
) -> None:
    save_pair(tmp_path)
    save(on_machine(measured(1.0), cores=64), tmp_path / "new.json")
    answer = producer_in_process("diff", "old.json", "new.json")
    assert answer.code == 0
    assert "unlike machines: cores 2 in OLD, 64 in NEW" in answer.out


@pytest.mark.parametrize(
    ("content", "words"),
    [("{", "not valid JSON"), ("{}", "no format version"), ('{"format": 1}', "format version 1")],
)
def test_a_damaged_file_is_refused_as_every_report_refuses_it(
    producer_in_process: InProcess, tmp_path: Path, content: str, words: str
) -> None:
    save_pair(tmp_path)
    (tmp_path / "new.json").write_text(content)
    answer = producer_in_process("diff", "old.json", "new.json")
    assert (answer.code, answer.out) == (2, "")
    assert "new.json" in answer.err
    assert words in answer.err


def test_files_of_two_kinds_are_refused_in_one_line(producer_in_process: InProcess) -> None:
    files = (str(EXAMPLES / "race.json"), str(EXAMPLES / "compare.json"))
    answer = producer_in_process("diff", *files)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "producer: OLD comes from producer race, NEW from producer compare; give two results of one"
        " kind\n"
    )
