"""``producer sweep`` and ``producer scale`` as a user types them, on real pools."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from poolrace.producer.cluster.lifecycle import temporary
from poolrace.producer.cluster.state import Cluster
from poolrace.producer.reports.formats import FORMATS
from poolrace.producer.results.files import FORMAT
from poolrace.producer.settings import Settings
from poolrace.workers.pools import POOLS
from tests.conftest import POOL_SLOTS, CommandLine
from tests.in_process import InProcess

pools = pytest.mark.parametrize("pool", POOLS)

QUICK = ("mixed", "--stop", "40", "--cpu-s", "0", "--wait-s", "0.002", "--repeat", "1")


@pytest.fixture(scope="module")
def three_hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with three hosts of one pool, and no other pool."""
    settings = Settings(state_dir=tmp_path_factory.mktemp("state"))
    with temporary(settings, {"threads": 2}, hosts=3) as running:
        yield running


@pytest.fixture
def producer_on_three_hosts(tmp_path: Path, three_hosts: Cluster) -> Iterator[CommandLine]:
    with CommandLine(tmp_path, {"CELERY_BROKER_URL": three_hosts.broker_url}) as command_line:
        yield command_line


@pools
def test_a_sweep_runs_on_every_pool(pool: str, producer_on_cluster: CommandLine) -> None:
    answer = producer_on_cluster("sweep", *QUICK, "--pool", pool, "--chunks", "20,2,5", "--json")
    assert answer.code == 0, answer.err
    output = answer.json()
    assert (output["format"], output["varies"]) == (FORMAT, "chunks")
    assert [run["chunks"] for run in output["runs"]] == [2, 5, 20]
    assert [step["chunks"] for step in output["figures"]["steps"]] == [2, 5, 20]
    assert output["figures"]["law"].keys() == {
        "in_step", "work_s", "overhead_s", "imbalance_s", "r_squared", "sweet_spot",
    }  # fmt: skip
    assert all(run["exact"] for run in output["runs"])


@pytest.mark.parametrize("pool", [pool for pool, slots in POOL_SLOTS.items() if slots > 1])
def test_scale_varies_the_slots_if_there_is_one_host(
    pool: str, producer_on_cluster: CommandLine
) -> None:
    output = producer_on_cluster("scale", *QUICK, "--pool", pool, "--json").json()
    assert output["varies"] == "slots"
    assert output["runs"][-1]["slots"] == POOL_SLOTS[pool]
    assert {run["hosts"] for run in output["runs"]} == {1}


def test_scale_varies_the_hosts_if_there_are_several(producer_on_three_hosts: CommandLine) -> None:
    answer = producer_on_three_hosts("scale", *QUICK, "--pool", "threads", "--json")
    assert answer.code == 0, answer.err
    output = answer.json()
    assert output["varies"] == "hosts"
    assert [(run["hosts"], run["slots"]) for run in output["runs"]] == [(1, 2), (2, 4), (3, 6)]
    one, two, three = (set(run["shares"]) for run in output["runs"])
    assert one == {"host-1"}
    # On a busy machine a host may be too late for a chunk.
    assert two <= {"host-1", "host-2"}
    assert three <= {"host-1", "host-2", "host-3"}
    assert output["figures"]["prediction"].keys() == {"hosts", "speed_up"}
    assert output["figures"]["prediction"]["hosts"] == 30


def test_scale_without_a_cluster_starts_hosts_on_this_machine(producer: CommandLine) -> None:
    answer = producer("scale", *QUICK, "--pool", "solo", "--hosts", "1,2")
    assert answer.code == 0, answer.err
    assert "2 of these hosts share the cores of one machine" in answer.out
    assert "celery:solo ran on 2 hosts" in answer.out


@pytest.mark.parametrize(
    "line",
    [
        "sweep sum --stop 1000 --local threads:2",
        "scale sum --stop 1000 --local processes --slots 1,2",
        "scale sum --stop 1000 --local threads:2",
        "sweep sum --stop 1000 --local single --chunks 1,10,100",
    ],
)
def test_local_models_can_be_swept_and_scaled(line: str, producer: CommandLine) -> None:
    answer = producer(*line.split(), "--repeat", "1")
    assert answer.code == 0, answer.err
    assert "exact in all" in answer.out


RENDER = """
from pathlib import Path
from poolrace.producer.reports.formats import FORMATS
from poolrace.producer.results.files import load
for name, render in FORMATS.items():
    content = render(load(Path("r.json")))
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
"""
"""Renders the results file in all formats, in a process with another order of its sets."""


@pytest.mark.timeout(600)  # 15 s of CPU time, in parallel with other tests
@pytest.mark.parametrize("command", ["sweep", "scale"])
def test_stored_results_are_rendered_again_byte_for_byte(
    command: str, producer: CommandLine, producer_in_process: InProcess
) -> None:
    line = [command, "sum", "--stop", "1e4", "--local", "threads", "--out", "r.json"]
    answer = producer(*line, "--report", "r.html")
    assert answer.code == 0, answer.err
    assert producer("report", "r.json").out == answer.out
    page = (producer.directory / "r.html").read_text()
    assert producer("report", "r.json", "--format", "html").out == page
    subprocess.run([sys.executable, "-c", RENDER], cwd=producer.directory, check=True)
    for name in FORMATS:
        assert producer_in_process("report", "r.json", "--format", name, "--out", "out").code == 0
        written = (producer.directory / "out").read_bytes()
        assert written == (producer.directory / name).read_bytes() != b""


def test_json_output_is_a_results_file(producer: CommandLine) -> None:
    answer = producer("sweep", "sum", "--stop", "1e4", "--local", "threads", "--json")
    (producer.directory / "r.json").write_text(answer.out)
    assert "chunks" in producer("report", "r.json").out
    assert json.loads(answer.out)["figures"]["steps"]


BAD_LISTS = [
    ("sweep sum --chunks 4 --local threads", 2, "give two numbers or more"),
    ("sweep sum --chunks 2,x --local threads", 2, "'x' is not a whole number"),
    ("sweep sum --chunks 0,2 --local threads", 2, "0 is too small"),
    ("sweep sum --stop 10 --chunks 2,20 --local threads", 2, "more than the 10 indices"),
    ("sweep sum --stop 0 --local threads", 2, "give two numbers or more"),
    ("sweep sum --pool prefork --local threads", 2, "exclude each other"),
    ("sweep sum --schedule guided", 2, "--schedule"),
    ("scale sum --slots 2,4 --local threads", 2, "write --slots 1,2,4"),
    ("scale sum --slots 1 --local threads", 2, "nothing to compare"),
    ("scale sum --slots 1,-2 --local threads", 2, "-2 is too small"),
    ("scale sum --local single", 2, "one slot"),
    ("scale sum --hosts 1,2 --local threads", 2, "--hosts is for Celery pools"),
    ("scale sum --hosts 1,2 --slots 1,2", 2, "exclude each other"),
    ("scale sum --slots 1,2 --local threads:2", 2, "give slots once"),
    ("scale sum --slots 1,2 --local threads --out missing/r.json", 2, "missing/r.json"),
]


@pytest.mark.parametrize(("line", "code", "message"), BAD_LISTS)
def test_lists_that_cannot_be_compared_are_refused(
    line: str, code: int, message: str, producer_in_process: InProcess
) -> None:
    answer = producer_in_process(*line.split())
    assert (answer.code, answer.out) == (code, "")
    assert message in answer.err
    assert len(answer.err.splitlines()) <= 2


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ("--pool threads --hosts 1,2,4", 3, "4 is more than the 3 host(s) of pool threads"),
        ("--pool threads --hosts 1,2,4", 3, "make scale POOL=threads N=4"),
        ("--pool threads --slots 1,7", 2, "7 is more than the 6 slots"),
        ("--pool threads:1", 2, "cannot change the slots of running workers"),
        ("--pool gevent --hosts 1,2", 3, "no worker consumes the queue of pool 'gevent'"),
    ],
)
def test_more_hosts_or_slots_than_the_cluster_has_are_refused_before_anything_runs(
    options: str, code: int, message: str, producer_on_three_hosts: CommandLine
) -> None:
    answer = producer_on_three_hosts("scale", "sum", *options.split())
    assert (answer.code, answer.out) == (code, "")
    assert message in answer.err
