"""``--python``: facts of interpreters; words for each path that cannot compute chunks."""

import itertools
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from poolrace.producer import interpreters
from poolrace.producer.executors.other_interpreter import require_modules
from poolrace.producer.interpreters import probe, probe_all
from poolrace.producer.results.interpreter import Interpreter, labelled
from poolrace.workers.errors import UsageError
from poolrace.workers.host_facts import HostFacts
from tests.conftest import wait_until
from tests.in_process import InProcess
from tests.other_interpreters import PYTHONS, THIS_PYTHON, script

FACTS = Interpreter("/python", "3.13.5", "CPython", True, False, False, "", "x86_64")

OLD = '{"version": "3.9.18", "implementation": "CPython"}'

WITHOUT_ASYNCIO = f"""case "$*" in
*serve_chunks*) exec {THIS_PYTHON} -I -S -c '
import runpy, sys
sys.modules["asyncio"] = None
runpy.run_path(sys.argv[-1], run_name="__main__")' "$@" ;;
*) exec {THIS_PYTHON} "$@" ;;
esac"""
"""Script of an interpreter whose standard library has no asyncio."""


def test_the_facts_of_an_interpreter_are_its_own() -> None:
    facts = probe(sys.executable)
    assert facts.path == sys.executable
    assert facts.version == platform.python_version()
    assert facts.version_info == sys.version_info[:2]
    assert facts.implementation == platform.python_implementation()
    assert facts.gil == getattr(sys, "_is_gil_enabled", lambda: True)()
    assert facts.architecture == platform.machine()
    assert facts.label.removesuffix("t") == ".".join(map(str, sys.version_info[:2]))


@pytest.mark.parametrize("path", PYTHONS)
def test_every_interpreter_that_is_found_can_compute_chunks(path: str) -> None:
    facts = probe(path)
    require_modules(facts)
    assert facts.free_threaded == facts.label.endswith("t")
    if facts.version_info < (3, 13):
        assert (facts.gil, facts.free_threaded, facts.jit) == (True, False, False)


def test_a_name_is_looked_up_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    python = Path(sys.executable)
    monkeypatch.setenv("PATH", str(python.parent))
    assert probe(python.name).path == sys.executable


def test_a_name_that_is_not_on_the_path_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--python python3.99 is not on PATH; give the path"):
        probe("python3.99")


def test_an_interpreter_that_is_given_twice_is_taken_once() -> None:
    assert len(probe_all((sys.executable, sys.executable))) == 1


def test_labels_are_as_short_as_they_can_be() -> None:
    free = replace(FACTS, free_threaded=True, gil=False)
    later = replace(FACTS, version="3.14.0rc2", path="/other")
    pypy = replace(FACTS, implementation="PyPy", version="3.11.13")
    labels = [each.label for each in labelled([FACTS, free, later, pypy])]
    assert labels == ["3.13", "3.13t", "3.14", "pypy3.11"]


def test_labels_of_equal_versions_differ() -> None:
    other_patch, other_build = replace(FACTS, version="3.13.0"), replace(FACTS, path="/other")
    assert [each.label for each in labelled([FACTS, other_patch])] == ["3.13.5", "3.13.0"]
    assert [each.label for each in labelled([FACTS, other_build])] == ["3.13.5#1", "3.13.5#2"]


SCRIPTS = {
    "echo Hello": "is no Python interpreter: Hello; give Python 3.11 or newer",
    "true": "is no Python interpreter; give Python 3.11 or newer",
    f"echo '{OLD}'": "is Python 3.9.18, too old to compute chunks; give Python 3.11 or newer",
    "echo Unknown option: -I >&2; exit 2": "ended with exit code 2 at its start: Unknown option",
    "kill -SEGV $$": "was killed by SIGSEGV at its start; give Python 3.11 or newer",
    "yes": "is no Python interpreter: its output has no end",
    "sleep 1000": "did not answer within 0.5 s",
    "sleep 1000 & echo Hello; sleep 1000": "did not answer within 0.5 s",
}
"""Script in place of an interpreter -> the words of its error."""


@pytest.mark.parametrize("text", SCRIPTS)
def test_a_program_that_is_no_usable_interpreter_is_refused(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreters, "ANSWER_S", 20.0 if "sleep" not in text else 0.5)
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    path = script(tmp_path, text)
    with pytest.raises(UsageError) as refused:
        probe(path)
    assert str(refused.value).startswith(f"--python {path} ")
    assert SCRIPTS[text] in str(refused.value)
    after = {process.pid for process in psutil.Process().children(recursive=True)}
    assert after <= before


def test_a_script_that_leaves_a_process_behind_is_not_waited_for(tmp_path: Path) -> None:
    """The process holds the pipe open; it is ended with the script."""
    pid_file = tmp_path / "pid"
    path = script(tmp_path, f'sleep 999 &\necho $! > {pid_file}\n{THIS_PYTHON} "$@"')
    assert probe(path).version == platform.python_version()
    wait_until(lambda: not psutil.pid_exists(int(pid_file.read_text())))


def missing(directory: Path) -> Path:
    return directory / "nothing"


def a_directory(directory: Path) -> Path:
    return directory


def not_executable(directory: Path) -> Path:
    path = directory / "text"
    path.write_text("text")
    return path


def without_header(directory: Path) -> Path:
    path = not_executable(directory)
    path.chmod(0o755)
    return path


def of_another_architecture(directory: Path) -> Path:
    """The header of an executable file for a machine that this is not."""
    path = directory / "python"
    machine = 243 if platform.machine() != "riscv64" else 62
    path.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00" + bytes([machine, 0]))
    path.chmod(0o755)
    return path


FILES: dict[Callable[[Path], Path], str] = {
    missing: "there is no such file; give a Python interpreter",
    a_directory: "is not a file; give the interpreter itself",
    not_executable: "is not executable; give a Python interpreter",
    without_header: "cannot be executed: Exec format error",
    of_another_architecture: "was built for .*, and this machine runs .*of this architecture",
}
"""Function that makes a file in place of an interpreter -> the words of its error."""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the headers of Linux' executable files")
@pytest.mark.parametrize("make_file", FILES)
def test_a_file_that_is_no_interpreter_is_refused(
    make_file: Callable[[Path], Path], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=FILES[make_file]):
        probe(str(make_file(tmp_path)))


def test_an_interpreter_without_a_module_is_refused(tmp_path: Path) -> None:
    facts = probe(script(tmp_path, WITHOUT_ASYNCIO))
    with pytest.raises(UsageError, match=r"lacks a module of the standard library: .*asyncio"):
        require_modules(facts)


@pytest.mark.parametrize("command", ["compare", "sweep", "scale"])
def test_a_bad_interpreter_ends_a_command_with_code_2(
    command: str, producer_in_process: InProcess
) -> None:
    answer = producer_in_process(
        command, "sum", "--stop", "1e3", "--local", "threads", "--python", "/no/python"
    )
    assert answer.code == 2
    assert answer.err.startswith("producer: --python /no/python: there is no such file")
    assert len(answer.err.splitlines()) == 1


def test_the_producer_and_a_worker_tell_the_same_facts_of_an_interpreter() -> None:
    facts, host = probe(sys.executable), HostFacts.collect("host")
    assert (facts.gil, facts.free_threaded, facts.jit, facts.build_flags) == (
        host.gil, host.free_threaded, host.jit, host.build_flags,
    )  # fmt: skip


def test_an_interpreter_that_waits_for_a_core_has_more_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreters, "ANSWER_S", 0.05)
    path = script(tmp_path, f'sleep 0.3\nexec {THIS_PYTHON} "$@"')
    with pytest.raises(UsageError, match="did not answer within"):
        probe(path)
    monkeypatch.setattr(interpreters, "_queued_s", lambda _: 100.0)
    assert probe(path).version == platform.python_version()


def test_seconds_in_which_the_producer_was_stopped_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = script(tmp_path, f'sleep 0.3\nexec {THIS_PYTHON} "$@"')
    clock = itertools.count(0.0, 1_000.0)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(interpreters, "LONGEST_STEP_S", 0.01)
    assert probe(path).version == platform.python_version()
