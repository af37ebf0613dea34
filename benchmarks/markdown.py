"""Parts of the Markdown pages of benchmarks: tables, and where the figures come from. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.results import machine_of


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join(_lines(head, lines))


def _lines(head: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for line in lines:
        yield f"| {' | '.join(line)} |"


def origin(made_at: str, rounds: str, environment: Mapping[str, Any]) -> str:
    """A line with the time, the number of rounds, the machine and the commit."""
    host = machine_of(environment)
    quota = f", quota {host['cpu_quota']:g}" if host["cpu_quota"] else ""
    return (
        f"{made_at}, {rounds}: {host['cores']} cores{quota},"
        f" {host['cpu']}, {host['system']}, {host['python']},"
        f" commit {environment['commit']}"
    )
