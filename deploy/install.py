"""Creates .venv with the locked dependencies and this project; does nothing if it is there.

Uses the standard library only. Several at a time wait for each other. A stamp inside .venv,
written last, says what was installed and where, so an installation that was interrupted,
copied from elsewhere or made from other requirements is made anew.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "poolrace-stamp"
OLDEST = (3, 11)


def main() -> None:
    """Install unless it is done already."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        sys.exit(
            f"poolrace needs Python 3.11 or newer, this is {found}; make PYTHON=python3.12 ..."
        )
    with (ROOT / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _stamp() != _wanted():
            _install()
            STAMP.write_text(_wanted())


def _wanted() -> str:
    digest = hashlib.sha256()
    for part in (ROOT / "requirements.lock", ROOT / "pyproject.toml"):
        digest.update(part.read_bytes())
    digest.update(f"{ROOT} {sys.version}".encode())
    return digest.hexdigest()


def _stamp() -> str:
    return STAMP.read_text() if STAMP.exists() else ""


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
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "-qq",
           "--disable-pip-version-check"]  # fmt: skip
    _run([*pip, "--require-hashes", "--requirement", str(ROOT / "requirements.lock")])
    _run([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])


def _run(command: list[str]) -> None:
    if subprocess.run(command, check=False).returncode:
        sys.exit("the installation failed: see above")


if __name__ == "__main__":
    main()
