"""The command line as a user types it: values, JSON, exit codes, error messages."""

import csv
import io
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from poolrace.producer.commands import COMMANDS
from poolrace.producer.reports.formats import FORMATS
from poolrace.producer.results.files import FORMAT
from poolrace.workers.pools import POOLS
from poolrace.workers.workloads import WORKLOADS
from tests.conftest import PATIENCE_S, CommandLine
from tests.in_process import InProcess
from tests.local_models import RUNNABLE

KEYS = {
    "job", "workload", "start", "stop", "model", "slots", "hosts", "schedule", "chunks",
    "duplicates", "value", "expected", "exact", "elapsed_s", "startup_s", "cpu_s", "busy_s",
    "efficiency",
}  # fmt: skip


def test_run_prints_the_value_and_its_proof(producer: CommandLine) -> None:
    answer = producer("run", "sum", "--stop", "1e5", "--local", "threads")
    assert answer.code == 0
    assert "sum over [0, 100_000) under local:threads: 4999950000, exact" in answer.out
    assert "counted once: [0, 100_000)" in answer.out
    assert answer.err == ""


@pytest.mark.parametrize("number", ["100000", "100_000", "1e5", "1E5", "1.5e5"])
def test_numbers_may_be_written_with_underscores_and_exponents(
    number: str, producer: CommandLine
) -> None:
    run = producer("run", "sum", "--stop", number, "--local", "single", "--json").json()
    stop = int(float(number.replace("_", "")))
    assert (run["stop"], run["value"]) == (stop, sum(range(stop)))


def test_json_has_the_documented_keys(producer: CommandLine) -> None:
    run = producer("run", "mixed", "--stop", "4", "--local", "coroutines", "--json").json()
    assert run.keys() >= KEYS
    assert (run["model"], run["value"], run["expected"], run["exact"]) == (
        "local:coroutines", 6, 6, True,
    )  # fmt: skip


def test_the_default_is_the_prefork_pool(producer_on_cluster: CommandLine) -> None:
    run = producer_on_cluster("run", "sum", "--stop", "1e4", "--json").json()
    assert run["model"] == "celery:prefork"


@pytest.mark.parametrize("workload", WORKLOADS)
def test_every_workload_has_a_default_range(workload: str, producer: CommandLine) -> None:
    quick = {
        "sum": ["--kernel", "numpy"],
        "factorial": ["--wait-s", "0.01"],
        "mixed": ["--cpu-s", "0", "--wait-s", "0.001"],
    }
    answer = producer("run", workload, *quick.get(workload, []), "--local", "threads", "--json")
    assert answer.json()["exact"] is True


def test_three_factorials_as_coroutines_take_three_seconds_instead_of_six(
    producer: CommandLine,
) -> None:
    answer = producer(
        "run", "factorial", "--start", "2", "--stop", "5", "--local", "coroutines", "--json"
    )
    run = answer.json()
    assert 3.0 <= run["elapsed_s"] < 4.5  # it waits: a busy machine adds little
    assert sorted(record["value"] for record in run["records"]) == [2, 6, 24]
    assert run["busy_s"] == pytest.approx(6.0, abs=0.1)


def test_the_running_minimum_is_printed_after_each_chunk(producer: CommandLine) -> None:
    answer = producer(
        "run", "minimum", "--values", "10,4,22,-6", "--local", "single", "--chunk-size", "1"
    )
    assert "under local:single: -6, exact" in answer.out
    assert "merged: 10, 4, 4, -6" in answer.out


def test_a_factorial_beyond_pythons_digit_limit_is_printed_in_full(producer: CommandLine) -> None:
    options = ["--start", "3000", "--stop", "3001", "--wait-s", "0", "--local", "processes"]
    run = producer("run", "factorial", *options, "--json").json()
    assert run["value"] == run["expected"]
    assert len(str(run["value"])) == 9131
    assert producer("run", "factorial", *options).code == 0


def test_compare_prints_a_table_and_writes_results_and_report(
    producer_on_cluster: CommandLine, producer_in_process: InProcess
) -> None:
    answer = producer_on_cluster(
        "compare", "sum", "--stop", "200_000", "--local", "all:2", "--pool", "all",
        "--repeat", "2", "--out", "r.json", "--report", "r.html",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    models = [line.split()[0] for line in answer.out.splitlines() if ":" in line.split(" ")[0]]
    expected = [*(f"local:{name}" for name in RUNNABLE), *(f"celery:{name}" for name in POOLS)]
    assert len(expected) >= 9
    assert set(expected) <= set(models)
    assert f"exact in all {2 * len(expected)} runs" in answer.out
    assert "GIL" in answer.out
    page = (producer_on_cluster.directory / "r.html").read_text()
    assert "celery:gevent" in page
    assert "default-src &#x27;none&#x27;" in page
    for name in FORMATS:
        assert producer_in_process("report", "r.json", "--format", name, "--out", name).code == 0
    raw = producer_in_process("report", "r.json", "--format", "csv").out
    assert len(list(csv.DictReader(io.StringIO(raw)))) == 2 * len(expected)


def test_a_report_is_written_to_a_file(producer: CommandLine) -> None:
    producer("compare", "sum", "--stop", "100", "--local", "single", "--out", "r.json")
    assert producer("report", "r.json", "--format", "markdown", "--out", "r.md").code == 0
    assert (producer.directory / "r.md").read_text().count("| local:single |") == 1


BAD_INPUT = [
    ("run sum --start 5 --stop 3 --local single", "--stop 3 lies before --start 5"),
    ("run sum --start -5 --stop 3 --local single", "-5 is negative"),
    ("run sum --chunks -1", "-1 is too small"),
    ("run sum --chunks 0", "0 is too small"),
    ("run sum --chunk-size 0", "0 is too small"),
    ("run sum --stop 3 --chunks 5 --local single", "more than the 3 indices"),
    ("run sum --slots 0", "0 is too small"),
    ("run sum --pool prefork:0", "0 slots"),
    ("run sum --pool prefork:x", "'x' is not a number of slots"),
    ("run sum --pool prefork:2 --slots 3", "slots once"),
    ("run sum --local single --slots 2", "one slot"),
    ("run product", "'product'"),
    ("run sum --pool eventlet", "'eventlet' is unknown"),
    ("run sum --local fibers", "'fibers' is unknown"),
    ("run sum --local threads --pool gevent", "exclude each other"),
    ("run sum --kernel gpu", "'gpu'"),
    ("run sum --stop many", "'many' is not a whole number"),
    ("run sum --stop 1e8.5", "'1e8.5' is not a whole number"),
    ("run sum --stop 0.5", "'0.5' is not a whole number"),
    ("run sum --stop nan", "'nan' is not a whole number"),
    ("run sum --stop 1e999999999", "too large"),
    ("run sum --stop 1e13", "beyond the limit of sum"),
    ("run factorial --stop 1e6", "beyond the limit of factorial"),
    ("run factorial --wait-s -1", "-1.0"),
    ("run factorial --wait-s inf", "inf"),
    ("run factorial --cpu-s 1", "--cpu-s is not a parameter of factorial, but of mixed"),
    ("run minimum --values 1,x", "'x' is not a whole number"),
    ("run minimum --values 1,2 --stop 3", "beyond the 2 given"),
    ("run sum --schedule chaotic", "'chaotic'"),
    ("run sum --schedule guided --chunks 4 --local single", "--chunk-size"),
    ("run sum --chunks 4 --chunk-size 4 --local single", "exclude each other"),
    ("run sum --broker http://127.0.0.1", "not a Redis address"),
    ("run sum --speed 11", "--speed"),
    ("run", "WORKLOAD"),
    ("fly", "'fly'"),
    ("compare sum --repeat 0", "0 is too small"),
    ("compare sum --pool quick", "'quick' is unknown"),
    ("compare sum --stop 10 --local single --out missing/r.json", "missing/r.json"),
    ("compare sum --stop 10 --local single --out .", "cannot write"),
    ("compare sum --stop 10 --local single --report missing/r.html", "missing/r.html"),
    ("compare sum --stop 10 --local single --report r.pdf", "ends in .txt, .md, .csv, .html"),
    ("sweep sum --local single --out r.html", "ends in .json"),
    ("scale sum --local threads --out r.csv", "ends in .json"),
    ("map --report r.doc", "r.doc does not name a format"),
    ("map --report m.trace.json", "a map has no trace"),
    ("run sum --out missing/r.json", "cannot write missing/r.json"),
    ("run sum --report missing/r.html", "cannot write missing/r.html"),
    ("run sum --out .", "cannot write"),
    ("run sum --out r.trace.json", "ends in .json, such as results.json"),
    ("run sum --out r.json --report ./r.json", "give two paths"),
    ("run sum --report r.pdf", "ends in .txt, .md, .csv, .html, .svg, .png, .trace.json"),
    ("race -A a --task t --items - --report r.unknown", "r.unknown does not name a format"),
    ("race -A a --task t --items - --out missing/r.json", "cannot write missing/r.json"),
    ("map --out missing/m.json", "cannot write missing/m.json"),
    ("race -A a --task t --items - --report r", "ends in .txt"),
    ("report none.json", "none.json"),
    ("report \x1b[31mnone.json", r"\x1b[31mnone.json"),
    ("report .", "cannot read"),
    ("report r.json --format csv --out r.html", "--format csv does not fit --out r.html"),
    ("report r.json --out r.pdf", "ends in .txt"),
    ("up --pool quick", "'quick' is unknown"),
    ("up --pool solo:2", "one slot"),
    ("up --flower-port 0", "0 is not in the range"),
]


@pytest.mark.parametrize(("line", "message"), BAD_INPUT)
def test_bad_input_ends_with_two_lines_at_most_and_code_2(
    line: str, message: str, producer_in_process: InProcess
) -> None:
    answer = producer_in_process(*line.split())
    assert answer.code == 2
    assert message.lower() in answer.err.lower()
    assert len(answer.err.splitlines()) <= 2
    assert answer.out == ""
    assert list(producer_in_process.directory.iterdir()) == []


def test_a_damaged_results_file_or_one_of_another_format_is_refused(producer: CommandLine) -> None:
    producer("compare", "sum", "--stop", "100", "--local", "single", "--out", "r.json")
    path = producer.directory / "r.json"
    whole = path.read_text()
    for text in (whole[: len(whole) // 2], whole.replace(f'"format": {FORMAT}', '"format": 0'), ""):
        path.write_text(text)
        answer = producer("report", "r.json")
        assert answer.code == 2
        assert "r.json" in answer.err
        assert len(answer.err.splitlines()) == 1


def test_a_path_that_cannot_be_written_is_refused(producer: CommandLine) -> None:
    answer = producer(
        "compare", "sum", "--stop", "10", "--local", "single", "--out", "/proc/r.json"
    )
    assert (answer.code, "cannot write /proc/r.json" in answer.err) == (2, True)


def test_a_closed_standard_output_causes_no_traceback(producer: CommandLine) -> None:
    process = producer.start("run", "sum", "--stop", "10", "--local", "single", "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    process.wait(timeout=30)


@pytest.mark.timing
def test_help_appears_within_two_seconds(producer: CommandLine) -> None:
    began = time.monotonic()
    assert producer("--help").code == 0
    assert time.monotonic() - began < 2.0


def test_help_lists_every_command(producer: CommandLine) -> None:
    answer = producer("--help")
    assert answer.code == 0
    for sentence in COMMANDS.values():
        assert sentence in " ".join(answer.out.split())


def test_a_terminal_shows_a_live_bar_with_the_merged_value(
    producer: CommandLine, tmp_path: Path
) -> None:
    test_end, child_end = pty.openpty()
    command = [
        *(sys.executable, "-m", "poolrace", "run", "minimum", "--values", "10,4,22,-6"),
        *("--local", "single", "--chunk-size", "1"),
    ]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=child_end,
        env={**os.environ, "COLUMNS": "160", "TERM": "xterm"},
    )  # fmt: skip
    os.close(child_end)
    shown = b""
    while select.select([test_end], [], [], PATIENCE_S)[0]:
        try:
            shown += os.read(test_end, 65536)
        except OSError:  # the other side is closed
            break
    os.close(test_end)
    assert process.wait(timeout=PATIENCE_S) == 0
    text = shown.decode()
    assert "local:single" in text
    assert "4 chunks" in text
    assert "value -6" in text
