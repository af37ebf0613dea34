"""The laws of a job in one cluster whose workers run under all interpreters that the tests have.

``.ci/laws`` makes the environments; without any, the workers run under this interpreter.
"""

import json
from collections.abc import Iterator

import psutil
import pytest

from tests.conftest import PATIENCE_S, CommandLine, wait_until
from tests.integration.test_interpreters_of_workers import holding, hosts, state
from tests.other_interpreters import WITH_CELERY

pytestmark = pytest.mark.timeout(600)

STOP = 200
"""Indices of a run; each waits long enough for all hosts to take part."""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """The command line in a directory with a cluster of these interpreters."""
    pools = ("--pool", "threads:2", "--pool", "prefork:2")
    pythons = [word for path in WITH_CELERY for word in ("--python", path)]
    directory = tmp_path_factory.mktemp("laws")
    with CommandLine(directory, {"POOLRACE_HOST": "here"}) as producer:
        answer = producer("up", *pools, *pythons, timeout_s=2 * PATIENCE_S)
        assert answer.code == 0, answer.err
        yield producer
        producer("down")


def run(pool: str) -> tuple[str, ...]:
    mixed = ("run", "mixed", "--cpu-s", "0.002", "--wait-s", "0.05", "--stop", str(STOP))
    return (*mixed, "--pool", pool, "--chunks", str(STOP), "--json")


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_hosts_of_all_interpreters_compute_every_index_once(pool: str, up: CommandLine) -> None:
    result = up(*run(pool)).json()
    assert result["value"] == sum(range(STOP))
    assert result["intervals"] == [[0, STOP]]
    assert set(result["shares"]) == set(hosts(up))
    counted = sum(slot["indices"] for host in result["shares"].values() for slot in host.values())
    assert counted == STOP


@pytest.mark.parametrize("pool", ["threads", "prefork"])
@pytest.mark.parametrize("python", WITH_CELERY)
def test_every_index_counts_once_after_the_worker_of_an_interpreter_was_killed(
    python: str, pool: str, up: CommandLine
) -> None:
    """The chunks that it held are sent again, to this or another interpreter."""
    host = next(name for name, path in state(up).interpreters.items() if path == python)
    wait_until(lambda: not state(up).broken_parts())
    process = up.start(*run(pool))
    wait_until(lambda: holding(up, f"{pool}@{host}") or process.poll() is not None)
    held = holding(up, f"{pool}@{host}")
    assert held, "the run ended too early"
    psutil.Process(held.presence.pid).kill()
    out, err = process.communicate(timeout=2 * PATIENCE_S)
    assert process.returncode == 0, err
    result = json.loads(out)
    assert (result["value"], result["intervals"]) == (sum(range(STOP)), [[0, STOP]])
    wait_until(lambda: not state(up).broken_parts())
