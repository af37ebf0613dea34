"""A local cluster whose workers run under two interpreters: status, runs, and a killed worker."""

import json
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from poolrace.producer.broker.client import connect
from poolrace.producer.broker.workers import announcements, present_workers
from poolrace.producer.cluster.state import STATE_FILE, Cluster
from poolrace.workers.protocol import package_version
from poolrace.workers.runtime.presence import Announcement
from tests.conftest import PATIENCE_S, CommandLine, wait_until
from tests.environments import WORKER, environment

pytestmark = pytest.mark.timeout(600)

STOP = 200_000_000
"""Indices of a run whose four chunks take some seconds each with the kernel ``loop``."""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """The command line in a directory with a cluster: the second interpreter has no gevent."""
    directory = tmp_path_factory.mktemp("interpreters")
    with_gevent = environment(directory / "first", WORKER, "gevent")
    without = environment(directory / "second", WORKER)
    with CommandLine(directory, {"POOLRACE_HOST": "here"}) as producer:
        answer = producer(
            *("up", "--pool", "threads:1", "--pool", "prefork:1", "--pool", "gevent:2"),
            *("--python", str(with_gevent), "--python", str(without)),
            timeout_s=2 * PATIENCE_S,
        )
        assert answer.code == 0, answer.err
        assert f"left out: gevent@{hosts(producer)[1]}: gevent is not installed" in answer.out
        yield producer
        producer("down")


def state(producer: CommandLine) -> Cluster:
    path = producer.directory / ".poolrace" / "cluster" / STATE_FILE
    return Cluster(**json.loads(path.read_text()))


def hosts(producer: CommandLine) -> list[str]:
    return list(state(producer).interpreters)


def holding(producer: CommandLine, name: str) -> Announcement | None:
    """The announcement of the worker if it holds a chunk."""
    with connect(state(producer).broker_url) as client:
        return next(
            (each for each in announcements(client) if each.presence.name == name and each.holds),
            None,
        )


def test_status_shows_the_interpreter_of_each_worker_and_what_is_left_out(
    up: CommandLine,
) -> None:
    first, second = hosts(up)
    answer = up("status")
    assert answer.code == 0, answer.err
    python = up("status", "--json").json()["workers"][0]["host"]["python"]
    for worker in (f"gevent@{first}", f"threads@{first}", f"prefork@{second}"):
        assert f"  {worker}: " in answer.out
    assert f"{python}, GIL on" in answer.out
    assert f"{second} runs {state(up).interpreters[second]}\n" in answer.out
    assert f"left out: gevent@{second}: gevent is not installed" in answer.out
    assert f"  gevent@{second}" not in answer.out


def test_each_worker_runs_in_its_interpreter_and_has_our_version(up: CommandLine) -> None:
    with connect(state(up).broker_url) as client:
        workers = present_workers(client)
    assert len(workers) == 5
    for worker in workers:
        python = Path(state(up).interpreters[worker.host.host])
        assert psutil.Process(worker.pid).cmdline()[0] == str(python)
        assert worker.version == package_version()


@pytest.mark.parametrize("pool", ["threads", "prefork", "gevent"])
def test_a_run_is_exact_and_says_which_host_computed(pool: str, up: CommandLine) -> None:
    result = up("run", "sum", "--stop", "1e6", "--pool", pool, "--chunks", "20", "--json").json()
    assert result["exact"]
    assert result["hosts"] == (1 if pool == "gevent" else 2)
    assert set(result["shares"]) <= set(hosts(up))


def test_a_result_has_the_facts_of_each_interpreter(up: CommandLine) -> None:
    path = up.directory / "result.json"
    assert up("run", "sum", "--stop", "1e6", "--pool", "threads", "--out", str(path)).code == 0
    facts = json.loads(path.read_text())["environment"]["hosts"]
    assert {each["host"] for each in facts} == set(hosts(up))
    assert {"python", "gil", "free_threaded", "jit", "build_flags"} <= facts[0].keys()


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_a_run_is_exact_after_the_worker_of_one_interpreter_was_killed(
    pool: str, up: CommandLine
) -> None:
    """The workers of the other interpreter compute the chunks that were lost."""
    name = f"{pool}@{hosts(up)[1]}"
    wait_until(lambda: not state(up).broken_parts())
    process = up.start(
        *("run", "sum", "--kernel", "loop", "--stop", str(STOP), "--pool", pool),
        *("--chunks", "4", "--json"),
    )
    wait_until(lambda: holding(up, name) or process.poll() is not None)
    held = holding(up, name)
    assert held, "the run ended too early"
    psutil.Process(held.presence.pid).kill()
    out, err = process.communicate(timeout=2 * PATIENCE_S)
    assert process.returncode == 0, err
    result = json.loads(out)
    assert result["exact"]
    assert result["value"] == STOP * (STOP - 1) // 2
    assert {"resent", "backup"} & {event["kind"] for event in result["events"]}
    wait_until(lambda: not state(up).broken_parts())


def test_an_interpreter_without_celery_ends_up_with_exit_code_2_before_anything_starts(
    producer: CommandLine, tmp_path: Path
) -> None:
    python = environment(tmp_path / "bare")
    answer = producer("up", "--python", str(python))
    assert answer.code == 2
    assert "lacks the module celery" in answer.err
    assert f"{python} -m pip install 'celery[redis]" in answer.err
    assert not (producer.directory / ".poolrace").exists()


@pytest.mark.parametrize(
    ("path", "message"), [("/bin/false", "ended with exit code 1"), ("/no/python", "no such file")]
)
def test_a_path_that_is_no_interpreter_ends_up_with_exit_code_2(
    path: str, message: str, producer: CommandLine
) -> None:
    """tests/unit/test_interpreters.py has the other reasons."""
    answer = producer("up", "--python", path)
    assert (answer.code, message in answer.err) == (2, True), answer.err
