"""The guard of a command: no process that the command started outlives the producer."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from poolrace.producer.processes.guard import LOG_BYTES, GuardedProcess, find_guard, start_guarded
from tests.conftest import wait_until

SLEEP = ["sleep", "60"]

STATE_FILE = "state"

PRODUCER = """
import os, sys, time
from pathlib import Path
from poolrace.producer.processes.guard import start_guarded
directory = Path(sys.argv[1])
guarded = start_guarded(["sleep", "60"], directory, cwd=directory, environment=dict(os.environ))
print(guarded.guard_pid, guarded.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The private directory of a guarded command."""
    private = tmp_path / "private"
    private.mkdir()
    return private


def start(command: list[str], directory: Path, state_file: str = "") -> GuardedProcess:
    environment = dict(os.environ)
    return start_guarded(
        command, directory, cwd=directory, environment=environment, state_file=state_file
    )


def runs(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def test_a_guarded_command_runs_until_it_is_stopped(directory: Path) -> None:
    guarded = start(SLEEP, directory)
    process = psutil.Process(guarded.pid)
    wait_until(lambda: process.cmdline() == SLEEP)  # empty while the command is being loaded
    assert not guarded.ended
    guarded.stop()
    assert not runs(guarded.pid)
    assert not directory.exists()
    assert guarded.ended


def test_a_daemon_of_the_command_ends_with_the_guard(directory: Path, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    daemon = f"setsid sleep 60 & echo $! > '{pid_file}'"
    guarded = start(["sh", "-c", daemon], directory)
    wait_until(lambda: guarded.ended)
    daemon_pid = int(pid_file.read_text())
    assert runs(daemon_pid)
    guarded.stop()
    assert not runs(daemon_pid)


def test_a_command_that_ignores_sigterm_is_killed(directory: Path) -> None:
    ready = directory / "ready"
    guarded = start(["sh", "-c", f"trap '' TERM; touch '{ready}'; sleep 60"], directory)
    wait_until(ready.exists)
    guarded.stop()
    assert not runs(guarded.pid)


def test_a_command_ends_with_a_producer_that_is_killed(directory: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PRODUCER, str(directory)], stdout=subprocess.PIPE, text=True
    ) as producer:
        assert producer.stdout
        pids = [int(pid) for pid in producer.stdout.readline().split()]
        assert all(map(runs, pids))
        producer.kill()
    wait_until(lambda: not any(map(runs, pids)))
    assert not directory.exists()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_guard_ignores_signals_that_ask_to_end(signum: int, directory: Path) -> None:
    guarded = start(SLEEP, directory)
    os.kill(guarded.guard_pid, signum)
    assert runs(guarded.pid)
    guarded.stop()
    assert not directory.exists()


def test_the_output_of_the_command_goes_to_the_log(directory: Path, tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        command = ["sh", "-c", "echo out; echo err >&2"]
        guarded = start_guarded(
            command, directory, cwd=directory, environment=dict(os.environ), log=log
        )
        wait_until(lambda: guarded.ended)
        guarded.stop()
    assert (tmp_path / "log").read_text() == "out\nerr\n"


def test_a_log_that_gets_too_long_is_emptied(directory: Path, tmp_path: Path) -> None:
    log_file = tmp_path / "log"
    flood = f"head -c {LOG_BYTES + 1} /dev/zero; sleep 60"
    with log_file.open("ab") as log:
        guarded = start_guarded(
            ["sh", "-c", flood], directory, cwd=directory, environment=dict(os.environ), log=log
        )
    written = psutil.Process(guarded.pid)
    wait_until(lambda: any(child.name() == "sleep" for child in written.children()))
    wait_until(lambda: log_file.stat().st_size == 0)
    guarded.stop()


@pytest.mark.parametrize(
    ("script", "ending"),
    [
        ("exit 3", "exit code 3"),
        ("kill -ALRM $$", "killed by SIGALRM"),
        ("kill -KILL 0", "killed by SIGKILL"),  # its whole process group
        ("kill -KILL $PPID", "its parent process was killed"),
    ],
)
def test_the_end_of_a_command_is_named(script: str, ending: str, directory: Path) -> None:
    go = directory / "go"
    when_started = f"until [ -e {shlex.quote(str(go))} ]; do sleep 0.01; done; {script}"
    guarded = start(["sh", "-c", when_started], directory)
    assert guarded.ending == ""
    go.touch()
    wait_until(lambda: guarded.ended)
    assert guarded.ending == ending
    guarded.stop()


def replace_directory(directory: Path) -> None:
    """Delete the directory, and make another one with a state file at its path."""
    shutil.rmtree(directory)
    directory.mkdir()
    (directory / STATE_FILE).touch()


def move_directory(directory: Path) -> None:
    directory.rename(directory.with_name("moved"))


def delete_state_file(directory: Path) -> None:
    (directory / STATE_FILE).unlink()


@pytest.fixture
def lasting(directory: Path) -> GuardedProcess:
    """A command with a state file, which nothing else keeps."""
    (directory / STATE_FILE).touch()
    guarded = start(SLEEP, directory, STATE_FILE)
    guarded.release()
    return guarded


@pytest.mark.parametrize(
    ("lose", "directory_remains"),
    [
        (delete_state_file, False),
        (shutil.rmtree, False),
        (move_directory, False),
        (replace_directory, True),
    ],
)
def test_a_command_with_a_state_file_ends_when_the_file_is_lost(
    lose: Callable[[Path], None],
    directory_remains: bool,
    directory: Path,
    lasting: GuardedProcess,
) -> None:
    assert runs(lasting.pid)
    assert find_guard(directory) == lasting.guard_pid
    lose(directory)
    wait_until(lambda: not runs(lasting.pid) and not runs(lasting.guard_pid))
    assert directory.exists() == directory_remains


def test_a_guard_ends_with_a_command_that_ends_and_leaves_its_state_file(
    directory: Path, lasting: GuardedProcess
) -> None:
    os.kill(lasting.pid, signal.SIGKILL)
    wait_until(lambda: not runs(lasting.guard_pid))
    assert (directory / STATE_FILE).exists()
    assert find_guard(directory) is None


def test_a_command_whose_state_file_was_never_written_ends_with_its_producer(
    directory: Path,
) -> None:
    guarded = start(SLEEP, directory, STATE_FILE)
    guarded.stop()
    assert not runs(guarded.pid)
    assert not directory.exists()


def test_a_program_that_does_not_exist_is_an_error(directory: Path) -> None:
    with pytest.raises(ChildProcessError, match="no-such-program"):
        start(["no-such-program"], directory)


def test_a_guard_imports_nothing_from_the_users_directory(directory: Path, tmp_path: Path) -> None:
    for name in ("psutil", "threading", "poolrace"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported')\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    guarded = start_guarded(SLEEP, directory, cwd=tmp_path, environment=environment)
    assert runs(guarded.pid)
    guarded.stop()


def test_a_command_is_killed_without_sigterm_if_the_producer_says_so(
    directory: Path, tmp_path: Path
) -> None:
    ready, told = tmp_path / "ready", tmp_path / "told"
    trap = f"trap \"touch '{told}'; exit\" TERM; touch '{ready}'; while :; do sleep 0.01; done"
    guarded = start(["sh", "-c", trap], directory)
    wait_until(ready.exists)
    guarded.release(kill=True)
    guarded.stop()
    assert not runs(guarded.pid)
    assert not told.exists()
