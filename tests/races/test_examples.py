"""Each example under ``examples/`` gets the verdict that it is there to show."""

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
    """An example, with what is raced and what its verdict says on any machine."""

    task: str
    pools: str
    limited_by: str
    best: set[str]
    """Pools that are the fastest, or not distinguishable from the fastest."""
    slower: set[str] = field(default_factory=set)
    """Pools so much slower that no background load hides it; never recommended."""
    cheapest: str = ""
    """The pool with the least memory among the fastest; empty where that may vary."""
    app: str = "tasks"

    def check(self, verdict: dict[str, Any]) -> None:
        """Compare the verdict of a race with what it must say."""
        fastest = [verdict["fastest"], *verdict["alike"]]
        pools = {candidate["pool"] for candidate in fastest}
        assert verdict["limited_by"] == self.limited_by
        assert self.best <= pools
        assert not self.slower & {*pools, verdict["recommended"]["pool"]}
        assert self.cheapest in {"", verdict["cheapest"]["pool"]}
        assert verdict["distinguishable"] == (pools == {verdict["fastest"]["pool"]})


SHOWN = {
    "pure_python": Example("tasks.count_primes", "prefork:2 threads:2", "cpu", {"prefork"}),
    "hashing": Example(
        "tasks.derive", "prefork:2 threads:2", "cpu", {"prefork", "threads"}, cheapest="threads"
    ),
    "http": Example(
        "tasks.fetch", "prefork:2 threads:32", "waiting", {"threads"}, slower={"prefork"}
    ),
    "blocking": Example(
        "tasks.query", "gevent:20 threads:20", "blocking", {"threads"}, slower={"gevent"}
    ),
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
    shown.check(answer.json())
