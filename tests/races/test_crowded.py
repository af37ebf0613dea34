"""A race on a machine that others use."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from poolrace.workers.pools import CORES
from tests.conftest import CommandLine
from tests.races.project import race


@contextmanager
def others() -> Iterator[None]:
    """As many processes of somebody else as there are cores, all of which compute."""
    with ExitStack() as stack:
        for _ in range(CORES):
            busy = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while 1: pass"]))
            stack.callback(busy.kill)
        yield


def test_beside_others_the_pool_may_be_clear_and_how_many_slots_is_not(
    project: CommandLine,
) -> None:
    with others():
        answer = race(
            project, "proj.compute", "[50000]\n", "--pool", "prefork:2", "--pool", "prefork:6",
            "--budget-s", "30", "--out", "r.json",
        )  # fmt: skip
    assert answer.code == 0, answer.err
    told = answer.json()
    assert (told["crowded"], told["distinguishable"]) == (True, False)
    assert [it["pool"] for it in told["alike"]] == ["prefork"]
    assert "more slots win cores from them" in project("report", "r.json").out
