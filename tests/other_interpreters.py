"""Other interpreters for tests: those in a directory, and scripts that behave like bad ones."""

import os
import sys
from pathlib import Path

DIRECTORY = os.environ.get("POOLRACE_PYTHONS_DIR")
"""Directory of interpreters, as ``DIRECTORY/3.14/bin/python3.14``; read before the tests start."""

FOUND = [
    str(path)
    for folder in (sorted(Path(DIRECTORY).glob("3.*")) if DIRECTORY else [])
    if (path := folder / "bin" / f"python{folder.name}").exists()
]
"""Paths of the interpreters in the directory."""

WITH_CELERY = [
    str(path) for path in (sorted(Path(DIRECTORY).glob("venv-3.*/bin/python")) if DIRECTORY else [])
] or [sys.executable]
"""Paths of interpreters that can run a worker: the environments in the directory, or this one."""

PYTHONS = [sys.executable, *FOUND]
"""Paths of interpreters that tests run chunks with; this one is always there."""


def script(directory: Path, text: str) -> str:
    """Write an executable shell script, in place of an interpreter; return its path."""
    path = directory / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)
