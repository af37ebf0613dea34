"""Temporary clusters: each ends with its producer and leaves nothing."""

import signal
from contextlib import suppress
from pathlib import Path

import psutil

from poolrace.producer.processes.session import members
from tests.conftest import PATIENCE_S, CommandLine, wait_until


def guard_of(producer_pid: int) -> psutil.Process:
    """The guard of a producer's temporary cluster, once a worker of the cluster runs."""

    def has_worker() -> bool:
        with suppress(psutil.NoSuchProcess):  # one of them has just ended
            children = psutil.Process(producer_pid).children(recursive=True)
            return any("--pool" in child.cmdline() for child in children)
        return False

    wait_until(has_worker)
    return psutil.Process(producer_pid).children()[0]


def test_a_temporary_cluster_ends_with_a_producer_that_is_killed(producer: CommandLine) -> None:
    """The guard cleans up, because SIGKILL leaves the producer no time to do so."""
    process = producer.start("run", "sum", "--stop", "1e11", "--pool", "solo")

    guard = guard_of(process.pid)
    directory = Path(guard.cwd())
    process.kill()
    process.communicate()
    wait_until(lambda: not guard.is_running() and not members(guard.pid, directory))
    assert not directory.exists()


def test_a_temporary_cluster_ends_with_a_guard_that_is_killed(producer: CommandLine) -> None:
    process = producer.start("run", "sum", "--stop", "1e11", "--pool", "solo")
    guard = guard_of(process.pid)
    directory = Path(guard.cwd())
    guard.kill()
    wait_until(lambda: not members(guard.pid, directory))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)
    assert not directory.exists()


def test_a_temporary_cluster_leaves_no_file_in_the_directory_for_temporary_files(
    producer: CommandLine,
) -> None:
    temporary_files = producer.directory / "tmp"
    temporary_files.mkdir()
    producer.variables["TMPDIR"] = str(temporary_files)
    answer = producer("run", "sum", "--stop", "1e4", "--pool", "prefork:2")
    assert answer.code == 0, answer.err
    assert list(temporary_files.iterdir()) == []
