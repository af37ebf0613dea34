"""What the measurements were made with: versions, the commit, the facts of each host."""

import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from poolrace.producer.settings import Settings
from poolrace.workers.host_facts import HostFacts

PACKAGES = ("poolrace", "celery", "kombu", "redis", "gevent", "flower", "numpy")


def describe(hosts: Iterable[HostFacts]) -> dict[str, Any]:
    """The environment as a JSON object. Holds no path, no user name, no password."""
    return {
        "hosts": [host.to_json() for host in hosts],
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "commit": _commit(),
    }


def describe_here() -> dict[str, Any]:
    """The environment of what was measured on this machine alone."""
    return describe([HostFacts.collect(Settings().host)])


def now() -> str:
    """When something was made: ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of the source tree we run from, with ``+`` if it was changed since."""
    tree = str(Path(__file__).parent.parent)
    command = ["git", "-C", tree, "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() or None
