"""The heartbeat file of a worker is fresh while the worker is healthy, and grows old otherwise."""

import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest

from poolrace.workers.errors import ChunkTimeout
from poolrace.workers.runtime import cancellation
from poolrace.workers.runtime.cancellation import RunningChunks
from poolrace.workers.runtime.healthcheck import Heartbeat
from tests.conftest import wait_until

LONG_AGO = (1.0, 1.0)
"""Access and modification times that no touch sets."""


class Health:
    """A health check whose answer a test chooses, and whose calls a test can wait for."""

    def __init__(self) -> None:
        self.healthy = True
        self._calls = threading.Semaphore(0)

    def __call__(self) -> bool:
        self._calls.release()
        return self.healthy

    def wait_for_calls(self, count: int) -> None:
        for _ in range(count):
            assert self._calls.acquire(timeout=30)


def test_a_healthy_worker_touches_its_file_again_and_again(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat"
    heartbeat = Heartbeat(path, Health())
    heartbeat.start()
    wait_until(path.exists)
    os.utime(path, LONG_AGO)
    wait_until(lambda: path.stat().st_mtime > LONG_AGO[1])
    heartbeat.stop()


def test_an_unhealthy_worker_does_not_touch_its_file(tmp_path: Path) -> None:
    path, health = tmp_path / "heartbeat", Health()
    health.healthy = False
    path.touch()
    os.utime(path, LONG_AGO)
    heartbeat = Heartbeat(path, health)
    heartbeat.start()
    health.wait_for_calls(3)
    heartbeat.stop()
    assert path.stat().st_mtime == LONG_AGO[1]


def test_the_heartbeat_returns_once_its_file_can_be_written(tmp_path: Path) -> None:
    path, health = tmp_path / "missing" / "heartbeat", Health()
    heartbeat = Heartbeat(path, health)
    heartbeat.start()
    health.wait_for_calls(2)
    assert not path.exists()
    path.parent.mkdir()
    wait_until(path.exists)
    heartbeat.stop()


def test_a_chunk_without_a_cancellation_point_for_long_makes_its_worker_unhealthy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_client() -> NoReturn:
        raise AssertionError("a chunk this short polls nothing")

    running = RunningChunks(no_client)
    assert running.healthy()
    with running.batch("job", None) as batch:
        batch.begin_chunk()
        batch.cancellation_point()
        assert running.healthy()
        monkeypatch.setattr(cancellation, "HUNG_S", 0.0)
        assert not running.healthy()
    assert running.healthy()


def test_the_time_limit_applies_to_each_chunk_of_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(cancellation, "time", SimpleNamespace(monotonic=lambda: now[0]))
    with RunningChunks(lambda: pytest.fail("polled")).batch("job", 0.5) as batch:
        for _ in range(4):
            batch.begin_chunk()
            batch.cancellation_point()
            now[0] += 0.2
            batch.cancellation_point()
        now[0] += 0.4
        with pytest.raises(ChunkTimeout, match=r"0\.5 s"):
            batch.cancellation_point()
