"""The targets of the Makefile that run for long end with make, even if make is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.conftest import wait_until

ROOT = Path(__file__).parent.parent.parent

PYTHON = os.path.relpath(sys.executable, ROOT)
"""The path of this interpreter without spaces, at which make would split it."""

INTERPRETER = """\
#!/bin/sh
echo $$ >> "$(dirname "$0")/pid"
exec sleep 60
"""
"""Stands in for the interpreter of ``.venv``; writes its process id beside itself."""

PIP = """
import sys
from pathlib import Path
sys.path.insert(0, "deploy")
import install
install.VENV = Path(sys.argv[1])
install.main = lambda extras: install._pip("anything")
install.run([])
"""
"""Runs the installation, but only the part that waits for pip, in another environment."""


@pytest.fixture
def interpreter(tmp_path: Path) -> Path:
    path = tmp_path / "bin" / "python"
    path.parent.mkdir()
    path.write_text(INTERPRETER)
    path.chmod(0o755)
    return path


def started(interpreter: Path) -> psutil.Process:
    """The process of the interpreter, once it has started."""
    pid_file = interpreter.with_name("pid")
    wait_until(lambda: pid_file.exists() and pid_file.read_text().strip())
    process = psutil.Process(int(pid_file.read_text()))
    wait_until(lambda: process.name() == "sleep")
    return process


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(2) is Linux only")
@pytest.mark.parametrize("target", ["demo", "test", "chaos", "bench-race"])
def test_a_target_ends_when_make_is_killed(target: str, interpreter: Path) -> None:
    with subprocess.Popen(
        ["make", target, f"BIN={interpreter.parent}", f"PYTHON={PYTHON}"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as make:  # fmt: skip
        process = started(interpreter)
        make.kill()
    wait_until(lambda: not process.is_running())


def test_an_interrupted_installation_ends_pip_and_prints_one_line(interpreter: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PIP, str(interpreter.parent.parent)],
        cwd=ROOT, stderr=subprocess.PIPE, text=True,
    ) as install:  # fmt: skip
        process = started(interpreter)
        os.kill(install.pid, signal.SIGINT)
        _, err = install.communicate(timeout=20)
    assert install.returncode == 130
    assert len(err.splitlines()) == 1
    assert "interrupted" in err
    wait_until(lambda: not process.is_running())
