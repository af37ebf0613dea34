"""A race on a busy machine."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from poolrace.workers.pools import CORES
from tests.conftest import CommandLine
from tests.races.project import race


@contextmanager
def background_load() -> Iterator[None]:
    """Processes outside the race that keep all cores busy."""
    with ExitStack() as stack:
        for _ in range(CORES):
            process = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while 1: pass"]))
            stack.callback(process.kill)
        yield


def test_on_a_busy_machine_the_pool_is_clear_and_the_number_of_slots_is_not(
    project: CommandLine,
) -> None:
    with background_load():
        answer = race(
            project, "proj.compute", "[50000]\n", "--pool", "prefork:2", "--pool", "prefork:6",
            "--budget-s", "30", "--out", "r.json",
        )  # fmt: skip
    assert answer.code == 0, answer.err
    verdict = answer.json()
    assert (verdict["crowded"], verdict["distinguishable"]) == (True, False)
    assert [candidate["pool"] for candidate in verdict["alike"]] == ["prefork"]
    assert "More slots only take cores from those processes" in project("report", "r.json").out
