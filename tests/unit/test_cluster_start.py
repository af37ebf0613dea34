"""A start that fails or is interrupted leaves no file and no process; ports are chosen again."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from poolrace.producer.cluster import lifecycle, start
from poolrace.producer.cluster.config_files import ClusterSpec, cluster_programs, supervisord_conf
from poolrace.producer.cluster.lifecycle import temporary
from poolrace.producer.cluster.ports import free_port
from poolrace.producer.cluster.redis_binary import redis_server
from poolrace.producer.settings import Settings
from poolrace.workers.errors import ClusterError, UsageError


def processes() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


@pytest.fixture(autouse=True)
def temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The directory of temporary files, which must be empty at the end, as before."""
    directory = tmp_path / "tmp"
    directory.mkdir()
    monkeypatch.setattr(lifecycle, "gettempdir", lambda: str(directory))
    before = processes()
    yield directory
    assert list(directory.iterdir()) == []
    assert processes() <= before


def failing(error: BaseException) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise error

    return fail


@pytest.mark.parametrize(
    "step",
    [
        "redis_server",
        "write_private",
        "supervisord_conf",
        "start_guarded",
        "_with_session",
        "_wait_until_ready",
    ],
)
def test_an_interrupted_start_leaves_nothing(
    step: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, step, failing(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt), temporary(settings, {}):
        pass


def test_an_interrupt_right_after_the_start_of_the_supervisor_leaves_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "poll_until", failing(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt), temporary(settings, {}):
        pass


def test_a_full_disk_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "write_private", failing(OSError(28, "No space left on device")))
    with pytest.raises(ClusterError, match="No space left"), temporary(settings, {}):
        pass


def test_a_redis_that_ends_at_once_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "redis_server", lambda: Path("/bin/false"))
    monkeypatch.setattr(start, "START_S", 0.5)
    with pytest.raises(ClusterError, match="missing: redis"), temporary(settings, {}):
        pass


def test_a_path_that_is_not_utf8_is_named(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / "\udcff"
    odd.mkdir()
    monkeypatch.setattr(lifecycle, "gettempdir", lambda: str(odd))
    with pytest.raises(UsageError, match="TMPDIR"), temporary(settings, {}):
        pass
    assert list(odd.iterdir()) == []


def test_a_port_that_another_program_takes_meanwhile_is_replaced(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = [taken.getsockname()[1]]
        monkeypatch.setattr(lifecycle, "free_port", lambda: ports.pop() if ports else free_port())
        with temporary(settings, {}) as cluster:
            assert not cluster.broken_parts()
        assert ports == []


def test_a_port_that_is_always_taken_is_an_error(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "START_ATTEMPTS", 1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(lifecycle, "free_port", lambda: taken.getsockname()[1])
        with pytest.raises(ClusterError, match="Failed listening"), temporary(settings, {}):
            pass


def test_a_log_file_of_the_supervisor_needs_no_escape() -> None:
    spec = ClusterSpec(Path("/100%(x)s"), "redis://:x@127.0.0.1:1/0", {}, [], None, 1, durable=True)
    conf = supervisord_conf(spec, cluster_programs(spec, redis_server()))
    assert "stdout_logfile = redis.log\n" in conf
