"""The local cluster: start, status, restart of its programs, stop, and what remains."""

import base64
import json
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError

import psutil
import pytest

from poolrace.producer.broker.client import connect
from poolrace.producer.broker.workers import present_workers
from poolrace.producer.cluster.lifecycle import temporary
from poolrace.producer.cluster.ports import free_port
from poolrace.producer.cluster.state import STATE_FILE, Cluster
from poolrace.producer.processes.session import members
from poolrace.producer.settings import Settings
from tests.conftest import CommandLine, wait_until


def state(producer: CommandLine) -> Cluster:
    path = producer.directory / ".poolrace" / "cluster" / STATE_FILE
    return Cluster(**json.loads(path.read_text()))


def processes_of(cluster: Cluster) -> list[psutil.Process]:
    return members(cluster.session, Path(cluster.directory))


def worker_pid(cluster: Cluster, pool: str) -> int:
    with connect(cluster.broker_url) as client:
        return next((w.pid for w in present_workers(client) if w.pool == pool), 0)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with one pool and Flower, for the tests of this file."""
    settings = Settings(state_dir=tmp_path_factory.mktemp("state"))
    with temporary(settings, {"prefork": 2}, flower=True) as running:
        yield running


@contextmanager
def started(producer: CommandLine) -> Iterator[CommandLine]:
    """``producer up`` with two small pools, and ``producer down`` at the end."""
    answer = producer("up", "--pool", "threads:2", "--pool", "prefork:1")
    try:
        assert answer.code == 0, answer.err
        yield producer
    finally:
        producer("down")


@pytest.fixture(scope="module")
def shared_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """The command line in a directory with a started cluster, for the tests of this file."""
    with CommandLine(tmp_path_factory.mktemp("up"), {}) as producer, started(producer):
        yield producer


@pytest.fixture
def up(shared_up: CommandLine) -> CommandLine:
    """The command line with ``shared_up``, once all programs run: some tests kill one of them."""
    wait_until(lambda: state(shared_up).broken_parts() == [])
    wait_until(lambda: all(worker_pid(state(shared_up), pool) for pool in ("threads", "prefork")))
    return shared_up


@pytest.fixture
def own_up(producer: CommandLine) -> Iterator[CommandLine]:
    """The command line in a directory with a started cluster, for one test."""
    with started(producer):
        yield producer


def test_up_prints_flower_and_the_next_commands_and_down_leaves_nothing(
    producer: CommandLine,
) -> None:
    answer = producer("up", "--pool", "solo")
    assert answer.code == 0, answer.err
    assert "Flower: http://127.0.0.1:" in answer.out
    assert " compare sum\n" in answer.out
    assert "prefork" not in answer.out
    cluster = state(producer)
    assert processes_of(cluster)
    assert producer("run", "sum", "--stop", "1e4", "--pool", "solo", "--json").json()["exact"]
    assert producer("down").code == 0
    assert processes_of(cluster) == []
    assert list(producer.directory.iterdir()) == []
    again = producer("down")
    assert (again.code, "no local cluster" in again.out) == (0, True)


def test_status_lists_the_workers_and_no_password(up: CommandLine) -> None:
    answer = up("status", "--json")
    assert answer.code == 0
    assert {worker["pool"]: worker["slots"] for worker in answer.json()["workers"]} == {
        "threads": 2, "prefork": 1,
    }  # fmt: skip
    password = state(up).broker_url.split(":")[2].partition("@")[0]
    assert password not in answer.out
    assert password not in up("status").out
    command_lines = [" ".join(process.cmdline()) for process in processes_of(state(up))]
    assert command_lines
    assert not any(password in line for line in command_lines)
    logs = "".join(path.read_text() for path in Path(state(up).directory).glob("*.log"))
    assert password not in logs


def test_env_points_other_tools_at_the_cluster(up: CommandLine) -> None:
    lines = dict(line.removeprefix("export ").split("=", 1) for line in up("env").out.splitlines())
    assert lines["CELERY_BROKER_URL"].strip("'") == state(up).broker_url
    assert "FLOWER_BASIC_AUTH" in lines


def test_a_second_up_is_refused(up: CommandLine) -> None:
    answer = up("up")
    assert (answer.code, "producer down" in answer.err) == (2, True)
    assert up("status").code == 0


def test_a_taken_flower_port_is_refused_and_nothing_is_left(
    producer: CommandLine, cluster: Cluster
) -> None:
    taken = str(cluster.flower_url).rpartition(":")[2]
    answer = producer("up", "--flower-port", taken)
    assert (answer.code, taken in answer.err) == (2, True)
    assert list(producer.directory.iterdir()) == []


def test_up_starts_the_cluster_at_the_address_in_dotenv(producer: CommandLine) -> None:
    """The same file then works for containers and for the local cluster."""
    port = free_port()
    address = f"redis://:a-password@127.0.0.1:{port}/0"
    (producer.directory / ".env").write_text(f"CELERY_BROKER_URL={address}\n")
    answer = producer("up", "--pool", "solo")
    assert answer.code == 0, answer.err
    assert state(producer).broker_url == address
    assert producer("run", "sum", "--stop", "1e5", "--pool", "solo").code == 0
    assert "a-password" not in answer.out + answer.err
    assert producer("down").code == 0


@pytest.mark.parametrize(
    "address",
    [
        "redis://:secret@192.0.2.1:6379/0",
        "rediss://:secret@127.0.0.1:6379/0",
        "redis://user:secret@127.0.0.1:6379/0",
        "redis://127.0.0.1:6379/0",
    ],
)
def test_up_refuses_an_address_that_no_local_cluster_can_have(
    address: str, producer: CommandLine
) -> None:
    (producer.directory / ".env").write_text(f"CELERY_BROKER_URL={address}\n")
    answer = producer("up", "--pool", "solo")
    assert answer.code == 2
    assert "names another cluster" in answer.err
    assert "secret" not in answer.err
    assert not (producer.directory / ".poolrace").exists()


def test_up_names_a_taken_redis_port(producer: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (producer.directory / ".env").write_text(f"CELERY_BROKER_URL=redis://:x@127.0.0.1:{port}\n")
        answer = producer("up", "--pool", "solo")
    assert answer.code == 2
    assert f"port {port} of CELERY_BROKER_URL" in answer.err
    assert not (producer.directory / ".poolrace").exists()


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_a_killed_worker_is_started_again(up: CommandLine, pool: str) -> None:
    before = worker_pid(state(up), pool)
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: worker_pid(state(up), pool) not in (0, before))
    run = up("run", "sum", "--stop", "1e4", "--pool", pool, "--json").json()
    assert run["exact"] is True


def test_a_killed_redis_is_started_again(up: CommandLine) -> None:
    [redis_server] = [p for p in processes_of(state(up)) if "-server" in p.name()]
    redis_server.kill()
    wait_until(lambda: state(up).broken_parts() == [])
    assert up("run", "sum", "--stop", "1e4", "--json").json()["exact"] is True


def test_all_programs_end_with_a_killed_supervisor_and_status_names_it(own_up: CommandLine) -> None:
    cluster = state(own_up)
    os.kill(cluster.session, signal.SIGKILL)
    wait_until(lambda: not processes_of(cluster))
    answer = own_up("status")
    assert answer.code == 3
    assert "supervisor" in answer.err
    assert "producer down" in answer.err
    assert own_up("down").code == 0
    assert list(own_up.directory.iterdir()) == []


@pytest.mark.timing
@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("status", "producer up"),
        ("env", "producer up"),
        ("run sum --broker redis://127.0.0.1:1/0", "producer up"),
        ("status --broker redis://127.0.0.1:1/0", "127.0.0.1:1"),
    ],
)
def test_without_a_cluster_a_command_exits_with_3_within_5_seconds(
    line: str, part: str, producer: CommandLine
) -> None:
    began = time.monotonic()
    answer = producer(*line.split())
    assert time.monotonic() - began < 5.0
    assert answer.code == 3
    assert part in answer.err
    assert len(answer.err.splitlines()) <= 2


def test_with_a_wrong_password_a_command_exits_with_3_and_does_not_print_it(
    producer: CommandLine, cluster: Cluster
) -> None:
    port = cluster.broker_url.rpartition(":")[2]
    answer = producer("run", "sum", "--broker", f"redis://:gue55@127.0.0.1:{port}")
    assert answer.code == 3
    assert "password" in answer.err
    assert "gue55" not in answer.err


def test_a_run_on_a_pool_without_workers_exits_with_3_and_prints_how_to_start_one(
    up: CommandLine,
) -> None:
    answer = up("run", "sum", "--stop", "1e4", "--pool", "gevent")
    assert answer.code == 3
    assert "python -m poolrace.workers gevent" in answer.err
    assert "prefork, threads" in answer.err


def test_flower_shows_the_range_and_the_job_of_each_task(
    producer_on_cluster: CommandLine, cluster: Cluster
) -> None:
    run = producer_on_cluster("run", "sum", "--stop", "300_000", "--chunks", "3", "--json").json()
    assert cluster.flower_login is not None
    login = base64.b64encode(cluster.flower_login.encode()).decode()

    def shown() -> list[dict[str, str]]:
        request = urllib.request.Request(
            f"{cluster.flower_url}/api/tasks", headers={"Authorization": f"Basic {login}"}
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            tasks = json.load(response).values()
        return [task for task in tasks if task["uuid"].startswith(run["job"] + ".")]

    def succeeded() -> bool:
        return sum(task["state"] == "SUCCESS" for task in shown()) >= 3

    wait_until(succeeded)
    chunks = {task["args"]: task for task in shown()}
    task = chunks["[100_000, 200_000)"]
    assert task["name"] == "poolrace.sum"
    assert run["job"] in task["kwargs"]


def test_flower_requires_a_login(cluster: Cluster) -> None:
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(f"{cluster.flower_url}/api/tasks", timeout=10)
    assert refused.value.code == 401
