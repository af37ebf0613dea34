"""The environment of a measurement: hosts, versions and the commit of poolrace."""

import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from poolrace.producer.results.environment import Environment
from poolrace.producer.results.interpreter import Interpreter
from poolrace.producer.settings import Settings
from poolrace.workers.host_facts import HostFacts, versions_of

PACKAGES = ("poolrace", "celery", "kombu", "redis", "gevent", "flower", "numpy")
"""Packages whose versions are stored with results."""

SOURCE_TREE = Path(__file__).resolve().parent.parent
"""Root of the checkout; or, without a checkout, the directory of the installed package."""


def describe(hosts: Iterable[HostFacts], interpreters: Iterable[Interpreter] = ()) -> Environment:
    """Return the environment of a measurement on these hosts, also under other interpreters."""
    return Environment(
        list(hosts), versions_of(PACKAGES), commit_of(SOURCE_TREE), list(interpreters)
    )


def describe_this_machine() -> Environment:
    """Return the environment of a measurement on this machine alone."""
    return describe([HostFacts.collect(Settings().host)])


def now() -> str:
    """Return the present time: ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def commit_of(tree: Path) -> str | None:
    """Return the commit checked out in ``tree``, with ``+`` if files were changed since.

    ``None`` unless ``tree`` is the root of a checkout: an installed package may lie in the
    environment of another project, whose commit says nothing about poolrace.
    """
    if not (tree / ".git").exists():  # a file in a worktree of git, else a directory
        return None
    describe_commit = ("describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*")
    command = ["git", "-C", str(tree), *describe_commit]
    try:
        process = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return process.stdout.strip() or None
