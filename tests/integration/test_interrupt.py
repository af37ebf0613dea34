"""Ctrl-C: code 130, workers idle again after a few CPU seconds, nothing left running."""

import os
import re
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from poolrace.producer.broker.client import connect
from poolrace.producer.broker.workers import usage_of_workers
from poolrace.producer.cluster.state import Cluster
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import load
from poolrace.workers.pools import POOLS
from poolrace.workers.protocol import queue_of
from poolrace.workers.usage import Usage, Usages, cpu_s_of_tree, usage_of_tree, used_between
from tests.conftest import PATIENCE_S, CommandLine, held_chunks, wait_until
from tests.local_models import RUNNABLE

if TYPE_CHECKING:
    import subprocess

    import redis

LONG = ("run", "sum", "--stop", "1e11")

signals = pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)


def start_under_another_interpreter(producer: CommandLine, model: str) -> "subprocess.Popen[str]":
    """Start a comparison of long runs in a process of another interpreter; wait until it computes.

    The other interpreter is this one without its packages.
    """
    compare = ("compare", *LONG[1:], "--local", model, "--schedule", "static")
    process = producer.start(*compare, "--python", sys.executable)

    def is_computing() -> bool:
        for child in psutil.Process(process.pid).children():
            with suppress(psutil.NoSuchProcess):  # it has only read the facts of the interpreter
                if cpu_s_of_tree(child.pid) > 1.0:
                    return True
        return False

    wait_until(is_computing)
    return process


@signals
@pytest.mark.parametrize("model", [name for name in RUNNABLE if name != "greenlets"])
def test_an_interrupted_run_under_another_interpreter_leaves_nothing(
    model: str, signum: signal.Signals, code: int, producer: CommandLine
) -> None:
    process = start_under_another_interpreter(producer, model)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signum)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code, err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) <= 1
    wait_until(lambda: not any(child.is_running() for child in children))


@pytest.mark.parametrize("model", ["single", "threads:2", "processes:2"])
def test_another_interpreter_ends_when_its_producer_is_killed(
    model: str, producer: CommandLine
) -> None:
    """Also in the middle of a chunk of an hour."""
    process = start_under_another_interpreter(producer, model)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    wait_until(lambda: not any(child.is_running() for child in children))


@signals
@pytest.mark.parametrize("model", RUNNABLE)
def test_an_interrupted_local_run_ends_within_three_cpu_seconds(
    model: str, signum: signal.Signals, code: int, producer: CommandLine
) -> None:
    process = producer.start(*LONG, "--local", model)
    wait_until(lambda: usage_of_tree(process.pid).cpu_s > 1.0)
    children = psutil.Process(process.pid).children(recursive=True)
    before_s = usage_of_tree(process.pid).cpu_s
    process.send_signal(signum)
    assert process.stderr is not None
    err = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == code, err
    assert usage.ru_utime + usage.ru_stime - before_s < 3.0  # CPU time: independent of load
    assert "Traceback" not in err
    wait_until(lambda: not any(child.is_running() for child in children))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_child_processes_never_receive_ctrl_c(producer: CommandLine) -> None:
    """A terminal sends it to all of them; one that is still starting would print a traceback."""
    process = producer.start(*LONG, "--local", "processes:2")

    def slots() -> list[psutil.Process]:
        children = psutil.Process(process.pid).children()
        return [child for child in children if any("spawn_main" in a for a in child.cmdline())]

    wait_until(lambda: len(slots()) == 2)
    for slot in slots():
        status = Path(f"/proc/{slot.pid}/status").read_text()
        [blocked] = re.findall(r"^SigBlk:\s*(\w+)", status, re.MULTILINE)
        assert int(blocked, 16) & 1 << (signal.SIGINT - 1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130, err


def test_child_processes_end_when_their_producer_is_killed(producer: CommandLine) -> None:
    """The processes end even in the middle of a chunk of an hour."""
    process = producer.start(*LONG, "--local", "processes:2", "--schedule", "static")
    wait_until(lambda: len(psutil.Process(process.pid).children(recursive=True)) >= 2)
    wait_until(lambda: usage_of_tree(process.pid).cpu_s > 1.0)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    wait_until(lambda: not any(child.is_running() for child in children))


def start_comparison(producer: CommandLine) -> "subprocess.Popen[str]":
    """Start a comparison of 1,000 runs, and wait until the first of them has been measured."""
    compare = ("compare", "sum", "--stop", "1e6", "--local", "single", "--local", "processes:2")
    process = producer.start(*compare, "--repeat", "500", "--out", "r.json")
    # Two processes belong to the second run; the facts of the host start a single one, uname.
    wait_until(lambda: len(psutil.Process(process.pid).children()) >= 2)
    return process


@signals
def test_an_interrupted_comparison_stores_its_runs(
    signum: signal.Signals, code: int, producer: CommandLine
) -> None:
    process = start_comparison(producer)
    process.send_signal(signum)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code, err
    stored = load(producer.directory / "r.json")
    assert isinstance(stored, Comparison)
    assert (stored.complete, stored.planned) == (False, 1000)
    assert f"incomplete: {len(stored.runs)} of 1000 runs, interrupted" in out


def test_a_closed_pipe_does_not_hide_the_interrupt(producer: CommandLine) -> None:
    """In ``producer compare ... | tee``, Ctrl-C ends ``tee`` as well."""
    process = start_comparison(producer)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130, err
    assert len(err.strip().splitlines()) == 1
    assert not load(producer.directory / "r.json").complete


def reported_usage(client: "redis.Redis", pool: str) -> Usages:
    """Usage of the workers of the pool, once one has answered: a busy machine delays the reply."""
    usages: dict[str, Usage] = {}

    def is_reported() -> bool:
        usages.update(usage_of_workers(client, pool))
        return bool(usages)

    wait_until(is_reported)
    return usages


@pytest.mark.parametrize(
    ("pool", "schedule"), [("prefork", "auto"), *((pool, "static") for pool in POOLS)]
)
def test_workers_are_idle_after_a_few_cpu_seconds_of_an_interrupt(
    pool: str, schedule: str, producer_on_cluster: CommandLine, cluster: Cluster
) -> None:
    """With ``static`` each slot is in the middle of a chunk of an hour."""
    with connect(cluster.broker_url) as client:
        process = producer_on_cluster.start(*LONG, "--pool", pool, "--schedule", schedule)
        wait_until(lambda: held_chunks(client, pool))
        before = reported_usage(client, pool)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 130
        assert "interrupted" in err
        wait_until(lambda: client.llen(queue_of(pool)) == 0 and not held_chunks(client, pool))
        afterwards = reported_usage(client, pool)
        assert used_between(before, afterwards).cpu_s < 6.0  # CPU time: independent of load
        time.sleep(1.0)  # a second over which a busy slot would use a second
        assert used_between(afterwards, reported_usage(client, pool)).cpu_s < 0.3
