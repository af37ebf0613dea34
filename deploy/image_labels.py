"""Version and commit of this checkout, for the labels of the image."""

import subprocess
from importlib.metadata import version

from env_file import ROOT


def image_version() -> dict[str, str]:
    """The variables of docker-compose.yml for the labels: version, and commit if git knows it."""
    return {"POOLRACE_VERSION": version("poolrace"), "POOLRACE_REVISION": _revision()}


def _revision() -> str:
    """The commit of this checkout, with ``-dirty`` if files differ; empty without git.

    An sdist inside another repository has no commit of its own.
    """
    if not (ROOT / ".git").exists():
        return ""
    command = ("git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    try:
        described = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return described.stdout.strip()
