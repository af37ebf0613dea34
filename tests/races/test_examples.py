"""Each example under ``examples/`` gets the verdict that it demonstrates."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from poolrace.producer.cluster.ports import free_port, is_free
from tests.conftest import CommandLine, wait_until

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@dataclass(frozen=True)
class Example:
    """An example: its task, the pools to race, and the expected verdict."""

    task: str
    pools: str
    limited_by: str
    fastest: set[str]
    cheapest: set[str] = field(default_factory=set)
    app: str = "tasks"

    def agrees(self, verdict: dict[str, Any]) -> bool:
        """Whether the verdict is the expected one, or says that it is not distinguishable."""
        if not verdict["distinguishable"] and not self.cheapest:
            return True
        fastest = verdict["fastest"]["pool"] in self.fastest
        return fastest and verdict["cheapest"]["pool"] in (self.cheapest or self.fastest)


SHOWN = {
    "pure_python": Example("tasks.count_primes", "prefork:2 threads:2", "cpu", {"prefork"}),
    "hashing": Example(
        "tasks.derive", "prefork:2 threads:2", "cpu", {"prefork", "threads"}, {"threads"}
    ),
    "http": Example("tasks.fetch", "prefork:2 threads:32", "waiting", {"threads"}),
    "blocking": Example("tasks.query", "gevent:20 threads:20", "blocking", {"threads"}),
    "django_project": Example(
        "invoices.tasks.render", "prefork:2 threads:2", "cpu", {"prefork"}, app="shop"
    ),
    "failing": Example("tasks.divide", "prefork:2 threads:8", "failures", {"threads"}),
}


def test_every_example_is_tested() -> None:
    assert {path.name for path in EXAMPLES.iterdir() if path.is_dir()} == set(SHOWN)


@contextmanager
def answering(port: int) -> Iterator[None]:
    """The server of the example ``http``."""
    with subprocess.Popen([sys.executable, EXAMPLES / "http" / "server.py", str(port)]) as server:
        try:
            wait_until(lambda: not is_free(port))
            yield
        finally:
            server.terminate()


@pytest.mark.parametrize("name", SHOWN)
def test_an_example_shows_what_it_says(name: str) -> None:
    shown, port = SHOWN[name], free_port()
    address = {"EXAMPLE_SERVER": f"http://127.0.0.1:{port}"}
    producer = CommandLine(EXAMPLES / name, address)
    pools = [word for pool in shown.pools.split() for word in ("--pool", pool)]
    with answering(port):
        answer = producer(
            "race", "-A", shown.app, "--task", shown.task, "--items", "items.jsonl", *pools,
            "--budget-s", "15", "--yes", "--json",
        )  # fmt: skip
    assert answer.code == 0, answer.err
    verdict = answer.json()
    assert shown.agrees(verdict), verdict
    # Beside other tests it may not be known who is fastest, and then not what limits.
    assert verdict["limited_by"] == shown.limited_by or not verdict["distinguishable"], verdict
