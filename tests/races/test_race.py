"""``producer race`` on small real apps, as a user calls it in the directory of the app."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice

import pytest

from poolrace.producer.analysis.race_verdict import judge
from poolrace.producer.broker.client import connect
from poolrace.producer.cluster.lifecycle import temporary
from poolrace.producer.race.app_process import celery_command
from poolrace.producer.reports.formats import FORMATS
from poolrace.producer.results.candidate import Candidate
from poolrace.producer.settings import Settings
from tests.conftest import CommandLine, wait_until
from tests.in_process import InProcess
from tests.races.project import QUICK, race, race_processes
from tests.unit.made_up_races import base, finals
from tests.unit.made_up_races import race as made_up_race


def test_a_task_that_waits_is_fastest_with_many_at_a_time(
    project: CommandLine, producer_in_process: InProcess
) -> None:
    answer = race(
        project, "proj.nap", "[0.2]\n", "--pool", "prefork:2", "--pool", "gevent:20",
        "--out", "r.json", "--report", "r.html",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    verdict = answer.json()
    assert verdict["fastest"]["pool"] == "gevent"
    assert verdict["limited_by"] == "waiting"
    assert "--pool gevent --concurrency 20 --queues naps" in verdict["worker_command"]
    by_pool = {candidate["pool"]: candidate for candidate in verdict["candidates"]}
    two_at_a_time = by_pool["prefork"]
    assert two_at_a_time["items_per_s"] < 1.1 * 2 / 0.2
    assert two_at_a_time["waiting_share"] > 0.8
    assert two_at_a_time["running_s"]["p50"] >= 0.2
    assert all(candidate["peak_memory_bytes"] > 2**20 for candidate in verdict["candidates"])
    for name in FORMATS:
        rendered = producer_in_process("report", "r.json", "--format", name, "--out", name)
        assert rendered.code == 0, rendered.err
        assert b"gevent" in (project.directory / name).read_bytes() or name == "png"
    assert '<figure class="chart"' in (project.directory / "r.html").read_text()
    assert race_processes(project) == []


def test_a_task_that_does_nothing_is_limited_by_messages(project: CommandLine) -> None:
    verdict = race(project, "proj.nothing", "[]\n", "--pool", "threads:2", "--pool", "solo").json()
    assert verdict["limited_by"] == "broker"
    assert verdict["executions"] <= 50_000


@pytest.mark.parametrize(
    ("task", "items", "message"),
    [
        ("proj.nap", "[0]\nno JSON\n", "line 2 is not JSON"),
        ("proj.nap", "[0]\n\n[]\n", "line 3 of the items: proj.nap cannot be called with this"),
        ("proj.nap", '[0]\n{"seconds": 0, "other": 1}\n', "unexpected keyword argument 'other'"),
        ("proj.napp", "[0]\n", "similar: proj.nap"),
        ("nap", "[0]\n", "similar: proj.nap"),
        ("proj.nap", "", "--items items.jsonl: there is no item"),
    ],
)
def test_items_that_do_not_fit_the_task_are_refused_before_the_task_runs(
    task: str, items: str, message: str, project_in_process: InProcess
) -> None:
    answer = race(project_in_process, task, items)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert len(answer.err.splitlines()) <= 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("-A", "missing"), "No module named 'missing'"),
        (("-A", "proj:none"), "none"),
        (("--python", "no-python"), "no-python is not a program"),
        (("--pool", "fibers"), "'fibers'"),
        (("--max-memory", "much"), "'much' is not a size"),
        (("--out", "missing/r.json"), "missing/r.json"),
    ],
)
def test_invalid_options_are_refused(
    options: tuple[str, ...], message: str, project_in_process: InProcess
) -> None:
    answer = race(project_in_process, "proj.nap", "[0]\n", *options)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err


def test_a_task_that_always_fails_is_not_ranked(project: CommandLine) -> None:
    answer = race(project, "proj.fail", '["no luck"]\n')
    assert (answer.code, answer.out) == (1, "")
    assert "raise ValueError(message)" in answer.err
    assert "failed for all" in answer.err
    assert "ValueError" in answer.err.splitlines()[-1]


def test_a_task_that_would_be_retried_fails_at_once(project: CommandLine) -> None:
    answer = race(project, "proj.fail_and_retry", '["no luck"]\n')
    assert answer.code == 1
    assert "ValueError" in answer.err.splitlines()[-1]


def test_a_hanging_task_ends_at_its_time_limit(project: CommandLine) -> None:
    answer = race(project, "proj.nap", "[3600]\n", "--time-limit", "1", "--budget-s", "60")
    assert answer.code == 1
    assert "--time-limit" in answer.err
    assert race_processes(project) == []


def test_items_are_read_from_standard_input_and_the_task_may_be_a_shared_task(
    project: CommandLine,
) -> None:
    command = ["race", "-A", "proj:app", "--task", "proj.shared", "--items", "-", *QUICK]
    finished = subprocess.run(
        [sys.executable, "-m", "poolrace", *command, "--pool", "threads:2", "--repeat-items", "20"],
        cwd=project.directory, input='{"a": 1, "b": 2}\n', capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["candidates"][0]["failures"] == {}


def test_results_may_be_larger_than_the_limit_of_poolraces_workers(project: CommandLine) -> None:
    project.variables["OWN_BACKEND"] = "redis://backend.invalid/0"
    answer = race(
        project, "proj.large", "[3000000]\n", "--pool", "threads:1", "--repeat-items", "5"
    )
    assert answer.json()["candidates"][0]["failures"] == {}


def test_without_the_option_yes_a_race_needs_a_terminal(project: CommandLine) -> None:
    (project.directory / "items.jsonl").write_text("[0]\n")
    answer = project("race", "-A", "proj", "--task", "proj.nap", "--items", "items.jsonl")
    assert answer.code == 2
    assert "executed for real, at most 50,000 times" in answer.err


@contextmanager
def counting_listener() -> Iterator[tuple[int, list[int]]]:
    """Yields a port, and a list that grows with each connection to it."""
    accepted: list[int] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(0.2)
        over = threading.Event()

        def accept() -> None:
            while not over.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                accepted.append(1)
                connection.close()

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield server.getsockname()[1], accepted
        finally:
            over.set()
            thread.join()


def test_the_apps_own_broker_is_never_contacted(project: CommandLine) -> None:
    with counting_listener() as (port, accepted):
        for name in ("OWN_BROKER", "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"):
            project.variables[name] = f"redis://127.0.0.1:{port}/0"
        answer = race(project, "short.name", "[]\n", "--pool", "threads:2")
        assert answer.code == 0, answer.err
        with closing(socket.create_connection(("127.0.0.1", port))):
            wait_until(lambda: accepted)
        assert len(accepted) == 1


def test_a_given_redis_is_left_as_it_was_and_the_printed_command_works_when_pasted(
    project: CommandLine,
) -> None:
    with temporary(Settings(), {}) as given_cluster:
        answer = race(
            project, "proj.nap", "[0.01]\n", "--pool", "threads:2",
            "--broker", given_cluster.broker_url,
        )  # fmt: skip
        assert answer.code == 0, answer.err
        with connect(given_cluster.broker_url) as client:
            assert list(client.scan_iter()) == []
        environment = {**os.environ, "OWN_BROKER": given_cluster.broker_url}
        command = shlex.split(answer.json()["worker_command"])
        with subprocess.Popen(
            command, cwd=project.directory, env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as worker:  # fmt: skip
            try:
                assert worker.stdout is not None
                assert any(" ready." in line for line in worker.stdout)
            finally:
                worker.terminate()


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_command_of_two_workers_works_when_pasted_and_ctrl_c_ends_both(
    shell: str, project: CommandLine
) -> None:
    two = Candidate("threads", 2, workers=2)
    command = [*celery_command(sys.executable), "-A", "proj"]
    raced = made_up_race([*base(), *finals(two, 190.0)], command=command, queue="naps")
    with temporary(Settings(), {}) as given_cluster:
        project.variables["OWN_BROKER"] = given_cluster.broker_url
        with subprocess.Popen(
            [shell, "-c", judge(raced).worker_command], cwd=project.directory,
            env={**os.environ, **project.variables}, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as workers:  # fmt: skip
            assert workers.stdout is not None
            ready = (line.split("@")[0] for line in workers.stdout if " ready." in line)
            names = {line.split()[-1] for line in islice(ready, 2)}
            os.killpg(workers.pid, signal.SIGINT)
            workers.stdout.read()  # until the last worker has ended
        assert names == {"worker1", "worker2"}
        wait_until(lambda: race_processes(project) == [])


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGINT])
def test_a_race_that_is_killed_or_interrupted_leaves_no_process(
    signum: int, project: CommandLine
) -> None:
    (project.directory / "items.jsonl").write_text("[3600]\n")
    process = project.start(
        "race", "-A", "proj", "--task", "proj.nap", "--items", "items.jsonl", "--yes",
        "--pool", "prefork:4",
    )  # fmt: skip
    wait_until(lambda: any(" worker " in line for line in race_processes(project)))
    process.send_signal(signum)
    process.communicate(timeout=30)
    wait_until(lambda: race_processes(project) == [])
