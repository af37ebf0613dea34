"""Each example under ``examples/`` gets the verdict that its description promises."""

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
from tests.races.project import QUICK

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@dataclass(frozen=True)
class Example:
    """An example whose task waits: the raced pools, and its verdict on any machine.

    The slots are few: a machine three times slower, whose workers take 8 ms of CPU time for a
    message, must also deliver items as fast as they end.
    """

    task: str
    pools: str
    limited_by: str
    slower: set[str] = field(default_factory=set)
    """Pools that are several times slower on any machine, and never recommended."""
    failures: set[str] = field(default_factory=set)
    """Exceptions that the race counts."""

    def check(self, verdict: dict[str, Any]) -> None:
        """Compare the verdict of a race with the expected one."""
        assert verdict["limited_by"] == self.limited_by
        assert not self.slower & {verdict[key]["pool"] for key in ("fastest", "recommended")}
        for candidate in verdict["candidates"]:
            assert set(candidate["failures"]) == self.failures


WAITING = {
    "http": Example("tasks.fetch", "prefork:1 threads:4", "waiting", slower={"prefork"}),
    "blocking": Example("tasks.query", "gevent:20 threads:20", "blocking", slower={"gevent"}),
    "failing": Example(
        "tasks.divide", "prefork:2 threads:8", "failures", failures={"ZeroDivisionError"}
    ),
}

COMPUTING = {
    "pure_python": ("tasks", "tasks.count_primes", {"prefork"}),
    "django_project": ("shop", "invoices.tasks.render", {"prefork"}),
    "hashing": ("tasks", "tasks.derive", {"prefork", "threads"}),
}
"""Examples that compute: app, task, and pools that are the fastest, or tied, on two cores.

On a busy machine a race cannot rank these pools: background load hides the benefit of more cores.
"""


LESSON = "lesson"
"""The directory of programs that are no Celery apps; tests/integration/test_lesson.py."""


def test_every_example_is_tested() -> None:
    directories = {path.name for path in EXAMPLES.iterdir() if path.is_dir()}
    assert directories == {*WAITING, *COMPUTING, LESSON}


@contextmanager
def answering(port: int) -> Iterator[None]:
    """Run the server of the example ``http`` on that port."""
    with subprocess.Popen([sys.executable, EXAMPLES / "http" / "server.py", str(port)]) as server:
        try:
            wait_until(lambda: not is_free(port))
            yield
        finally:
            server.terminate()


def race_example(name: str, app: str, task: str, pools: str) -> dict[str, Any]:
    """The verdict of a race of the example."""
    port = free_port()
    producer = CommandLine(EXAMPLES / name, {"EXAMPLE_SERVER": f"http://127.0.0.1:{port}"})
    options = [word for pool in pools.split() for word in ("--pool", pool)]
    with answering(port):
        answer = producer(
            "race", "-A", app, "--task", task, "--items", "items.jsonl", *options, *QUICK,
        )  # fmt: skip
    assert answer.code == 0, answer.err
    verdict: dict[str, Any] = answer.json()
    return verdict


@pytest.mark.parametrize("name", WAITING)
def test_an_example_that_waits_gets_its_verdict_on_any_machine(name: str) -> None:
    example = WAITING[name]
    example.check(race_example(name, "tasks", example.task, example.pools))


@pytest.mark.timing
@pytest.mark.parametrize("name", COMPUTING)
def test_an_example_that_computes_gets_its_verdict_on_a_quiet_machine(name: str) -> None:
    app, task, best = COMPUTING[name]
    verdict = race_example(name, app, task, "prefork:2 threads:2")
    fastest = [verdict["fastest"], *verdict["alike"]]
    assert verdict["limited_by"] == "cpu"
    assert verdict["fastest"]["pool"] in best
    assert best <= {candidate["pool"] for candidate in fastest}
    if "threads" in best:
        assert verdict["cheapest"]["pool"] == "threads"
