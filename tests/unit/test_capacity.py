"""Numbers of slots, hosts and workers that the machine cannot hold are refused before a start."""

import resource
import subprocess
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from poolrace.producer.commands import producer
from poolrace.workers import capacity
from poolrace.workers.capacity import GIB, MIB, Demand, require_capacity, worker_demand
from poolrace.workers.errors import UsageError


@pytest.fixture
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with 1 GiB of free memory, 500 free tasks and 1,024 open files per process."""
    monkeypatch.setattr(capacity, "_free_memory", lambda: GIB)
    monkeypatch.setattr(capacity, "_free_tasks", lambda: 500)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 1024))


@pytest.mark.parametrize(
    ("demand", "message"),
    [
        (Demand(process=43), r"43 processes.*1\.0 GiB of memory are free.*24 MiB; give at most 42"),
        (Demand(thread=501), "501 threads, .* 500 more processes and threads are allowed"),
        (Demand(greenlet=10_001), "10,001 greenlets or coroutines.* give at most 10,000"),
        (Demand(process=2, greenlet=20_001), "20,001 greenlets.* give at most 20,000"),
    ],
)
@pytest.mark.usefixtures("_machine")
def test_the_message_has_the_number_the_reason_and_the_limit(demand: Demand, message: str) -> None:
    with pytest.raises(UsageError, match=rf"^it needs {message}"):
        require_capacity("it", demand)


@pytest.mark.usefixtures("_machine")
def test_a_demand_up_to_the_limit_is_accepted() -> None:
    require_capacity("it", Demand(process=42, thread=500, greenlet=10_000))


@pytest.mark.usefixtures("_machine")
def test_the_limit_of_open_files_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (128, 128))
    with pytest.raises(UsageError, match=r"8 of 128 open files \(ulimit -n\); give at most 8 in"):
        require_capacity("it", Demand(process=9))


def test_workers_need_processes_of_their_own() -> None:
    assert worker_demand("prefork", 4, workers=3) == Demand(process=3 * 5)
    assert worker_demand("gevent", 100, workers=2) == Demand(process=2, greenlet=200)
    assert worker_demand("threads", 8) == Demand(process=1, thread=8)
    assert worker_demand("solo", 1, workers=2) == Demand(process=2)


def test_this_machine_holds_the_default_slots() -> None:
    assert capacity._free_memory() > 100 * MIB
    require_capacity("the default", worker_demand("prefork", 2) + worker_demand("gevent", 100))


def _refuse_start(*_: object, **__: object) -> None:
    raise AssertionError("a process was started")


RACE = "race -A tasks --task tasks.digest --items items.jsonl --yes"


@pytest.mark.parametrize(
    "line",
    [
        "run sum --local processes:1000000",
        "run sum --local processes --slots 1000000",
        "run sum --local threads:1000000",
        "run sum --local coroutines:1000000",
        "run sum --local greenlets:1000000",
        "run sum --pool prefork:1000000",
        "run sum --pool gevent --slots 1000000",
        "compare sum --local single --local processes:1000000",
        "compare sum --pool all:1000000",
        "sweep sum --pool prefork:1000000",
        "scale sum --hosts 1,1000000",
        "scale sum --local threads --slots 1,1000000",
        "scale sum --pool prefork --slots 1,1000000",
        "up --pool prefork:1000000",
        "map --slots 2,1000000",
        f"{RACE} --pool prefork:1000000",
        f"{RACE} --workers 1,1000000",
    ],
)
def test_a_million_is_refused_before_anything_is_started(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("items.jsonl").write_text('{"args": [1]}\n')
    monkeypatch.setattr(subprocess.Popen, "__init__", _refuse_start)
    monkeypatch.setattr(BaseProcess, "start", _refuse_start)
    with pytest.raises(UsageError, match=r"1,?000,?000.*more than this machine can hold.*give at"):
        producer.main(line.split(), standalone_mode=False)
    assert [path.name for path in tmp_path.iterdir()] == ["items.jsonl"]


def test_a_worker_refuses_slots_that_the_machine_cannot_hold() -> None:
    worker = subprocess.run(
        [sys.executable, "-m", "poolrace.workers", "prefork", "--slots", "1000000"],
        env={"CELERY_BROKER_URL": "redis://127.0.0.1:1/0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert worker.returncode == 2
    assert "prefork:1000000 needs 1,000,001 processes" in worker.stderr
    assert len(worker.stderr.splitlines()) == 1
