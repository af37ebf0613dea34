"""Creates .venv with the locked dependencies and this project, unless .venv is up to date.

    python deploy/install.py [EXTRA]      EXTRA: bench, also installs the libraries that
                                          make bench compares

Uses the standard library only. Several installations at a time wait for each other. A stamp
inside .venv, written last, is a digest of the requirements and of the path, so that an
installation that was interrupted, copied or made from other requirements is made again.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
BENCH_LOCK = ROOT / "benchmarks" / "requirements.lock"
OLDEST_PYTHON = (3, 11)
DIE_WITH_PARENT = ROOT / "producer" / "processes" / "die_with_parent.py"
INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, the shell's convention."""


def run(extras: list[str]) -> None:
    """Install as ``main`` does; exit without a traceback after Ctrl-C."""
    try:
        main(extras)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; the next make installs from the beginning\n")
        sys.exit(INTERRUPTED)


def main(extras: list[str]) -> None:
    """Install the project and the given extras, unless .venv is up to date."""
    if sys.version_info < OLDEST_PYTHON:
        version = ".".join(map(str, sys.version_info[:3]))
        sys.exit(
            f"poolrace needs Python 3.11 or newer, this is {version}; make PYTHON=python3.12 ..."
        )
    with (ROOT / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install_if_changed("poolrace-stamp", (LOCK, ROOT / "pyproject.toml"), _install)
        if "bench" in extras:
            _install_if_changed("poolrace-bench-stamp", (BENCH_LOCK,), _install_peers)


def _install_if_changed(
    stamp: str, requirements: tuple[Path, ...], install: Callable[[], None]
) -> None:
    """Call ``install``, unless the stamp in .venv is the digest of ``requirements``."""
    digest = hashlib.sha256()
    for file in requirements:
        digest.update(file.read_bytes())
    digest.update(f"{ROOT} {sys.version}".encode())
    path = VENV / stamp
    if not path.exists() or path.read_text() != digest.hexdigest():
        install()
        path.write_text(digest.hexdigest())


def _install() -> None:
    sys.stderr.write("installing poolrace into .venv (once, under a minute)\n")
    if VENV.exists():
        shutil.rmtree(VENV)
    try:
        venv.create(VENV, with_pip=True)
    except subprocess.CalledProcessError:
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit(
            "this Python cannot make virtual environments; on Debian: apt install python3-venv"
        )
    _pip("--require-hashes", "--requirement", str(LOCK))
    _pip("--no-deps", "--no-build-isolation", "--editable", str(ROOT))


def _install_peers() -> None:
    sys.stderr.write("installing the peers of make bench into .venv (once, a minute or two)\n")
    _pip("--require-hashes", "--requirement", str(BENCH_LOCK))


def _pip(*arguments: str) -> None:
    python = str(VENV / "bin" / "python")
    pip = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", *arguments]
    # pip prints its traceback after Ctrl-C, so it gets a session of its own, out of reach of the
    # terminal's Ctrl-C, and ends with this process.
    command = [python, str(DIE_WITH_PARENT), *pip]
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            code = process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # pip and the builds that it started
            raise
    if code:
        sys.exit("the installation failed: see above")


if __name__ == "__main__":
    run(sys.argv[1:])
