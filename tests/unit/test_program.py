"""The program is named as it was called, in usage lines and in error messages."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from poolrace.producer.program import name_of
from tests.conftest import OURS

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/usr/local/bin/producer", "producer"),
        ("/home/user/.local/bin/poolrace", "poolrace"),
        ("/src/producer/__main__.py", "producer"),
        ("/site-packages/poolrace/__main__.py", "poolrace"),
        ("/site-packages/poolrace/producer/__main__.py", "producer"),
        ("/usr/bin/pytest", "producer"),
    ],
)
def test_the_name_is_that_of_the_command_or_the_package(path: str, name: str) -> None:
    assert name_of(path) == name


@pytest.mark.parametrize(
    ("module", "name"),
    [("poolrace", "poolrace"), ("poolrace.producer", "producer"), ("producer", "producer")],
)
def test_usage_and_errors_name_the_program(module: str, name: str) -> None:
    command = [sys.executable, "-m", module, "run"]
    usage = subprocess.run(
        [*command, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert usage.startswith(f"Usage: {name} run")
    failed = subprocess.run(
        [*command, "no-such-thing"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert failed.returncode == 2
    assert failed.stderr.startswith(f"{name}: ")


@pytest.mark.parametrize("name", ["poolrace", "producer"])
def test_the_help_names_the_program_in_sentences_and_examples(name: str) -> None:
    other = {"poolrace": "producer", "producer": "poolrace"}[name]
    for arguments in ([], ["cancel"]):
        command = [sys.executable, "-m", name, *arguments, "--help"]
        text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        assert f"'{name} " in text
        assert f"  {name} " in text
        assert f"{other} " not in text.replace("The producer that", "")


@pytest.mark.parametrize(("module", "name"), [("poolrace", "poolrace"), ("producer", "producer")])
def test_command_lines_in_messages_name_the_program(module: str, name: str, tmp_path: Path) -> None:
    variables = {key: value for key, value in os.environ.items() if not key.startswith(OURS)}
    failed = subprocess.run(
        [sys.executable, "-m", module, "env"], cwd=ROOT, capture_output=True, text=True,
        check=False, env={**variables, "POOLRACE_STATE_DIR": str(tmp_path)},
    )  # fmt: skip
    assert failed.returncode == 3
    assert f"{name} up" in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("rce", "command 'rce' is unknown; did you mean race?"),
        ("run sum --stp 1", "no such option '--stp'"),
        ("run sum --stop x", "invalid value for '--stop': 'x' is not a whole number; write"),
        ("compare sum --pool slo", "pool 'slo' is unknown; did you mean solo?"),
    ],
)
def test_wrong_usage_is_one_line_that_begins_small_and_ends_without_a_full_stop(
    arguments: str, message: str
) -> None:
    command = [sys.executable, "-m", "producer", *arguments.split()]
    failed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert failed.returncode == 2
    assert failed.stderr.startswith(f"producer: {message}")
    assert re.fullmatch(r".*[^.\n]\n", failed.stderr)


STREAMS = {"stdin": "<&-", "stdout": ">&-", "stderr": "2>&-", "all": "<&- >&- 2>&-"}


@pytest.mark.parametrize("closed", STREAMS.values(), ids=STREAMS)
@pytest.mark.parametrize(("model", "code"), [("single", 0), ("no-such-model", 2)])
def test_a_command_works_with_closed_standard_streams(
    closed: str, model: str, code: int, tmp_path: Path
) -> None:
    line = f'"{sys.executable}" -m poolrace run sum --stop 10 --local {model} {closed}'
    answer = subprocess.run(
        ["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert answer.returncode == code
    assert ("exact" in answer.stdout) == (code == 0 and ">&-" not in closed.split())
    assert ("no-such-model" in answer.stderr) == (code == 2 and "2>&-" not in closed)


def test_a_deleted_current_directory_is_named(tmp_path: Path) -> None:
    line = f'cd "{tmp_path}"; rmdir "{tmp_path}"; "{sys.executable}" -m poolrace run sum'
    answer = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "the current directory cannot be used" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


LOST = """
import sys, threading, weakref
from poolrace.producer.processes import signals
signals.EXIT_S = float(sys.argv[1])
signals.handle_signals()
class Item: pass
def in_a_destructor(_):
    print("ready", flush=True)
    threading.Event().wait()  # an exception that is raised here gets lost
item = Item()
reference = weakref.ref(item, in_a_destructor)
try:
    del item
    threading.Event().wait()
except BaseException as error:
    print(type(error).__name__, getattr(error, "code", ""), flush=True)
    threading.Event().wait()  # a context manager that hangs
"""


@pytest.mark.parametrize(
    ("signum", "code", "raised"),
    [
        (signal.SIGINT, 130, "KeyboardInterrupt"),
        (signal.SIGTERM, 143, "SystemExit 143"),
        (signal.SIGHUP, 129, "SystemExit 129"),
    ],
)
def test_the_exception_of_a_signal_that_got_lost_is_raised_again_and_a_program_that_hangs_ends(
    signum: signal.Signals, code: int, raised: str
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LOST, "0.5"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(signum)
        out, err = process.communicate(timeout=20)
        assert out.decode().strip() == raised
        assert process.returncode == code
        assert err == b""


def test_a_signal_that_is_held_is_handled_afterwards() -> None:
    program = """
import os, signal
from poolrace.producer.processes import signals
signals.handle_signals()
try:
    with signals.hold_signals():
        os.kill(os.getpid(), signal.SIGTERM)
        print("held", flush=True)
    print("not reached")
except SystemExit as error:
    print(error.code)
"""
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=20
    )
    assert answer.stdout.split() == ["held", "143"]


def test_a_signal_that_is_held_does_not_get_lost_if_the_context_raises() -> None:
    program = """
import os, signal, threading
from poolrace.producer.processes import signals
signals.handle_signals()
try:
    try:
        with signals.hold_signals():
            os.kill(os.getpid(), signal.SIGTERM)
            raise StopIteration
    except StopIteration:
        threading.Event().wait()
except SystemExit as error:
    print(error.code)
"""
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=20
    )
    assert answer.stdout.split() == ["143"]
