"""The sign of life that health checks read: fresh while the worker is sound, old when not."""

import os
import threading
from pathlib import Path
from typing import NoReturn

import pytest

from poolrace.workers.runtime import cancellation as running
from poolrace.workers.runtime.healthcheck import Heartbeat
from tests.conftest import wait_until

LONG_AGO = (1.0, 1.0)


def test_it_beats_as_long_as_the_worker_is_sound(tmp_path: Path) -> None:
    path, sound, asked = tmp_path / "beat", threading.Event(), threading.Semaphore(0)

    def ask() -> bool:
        asked.release()
        return sound.is_set()

    sound.set()
    heartbeat = Heartbeat(path, ask)
    heartbeat.start()
    wait_until(path.exists)
    os.utime(path, LONG_AGO)
    wait_until(lambda: path.stat().st_mtime > LONG_AGO[1])
    sound.clear()
    asked.acquire()  # whoever asked before may have been told that all is well
    asked.acquire()
    os.utime(path, LONG_AGO)
    for _ in range(2):
        asked.acquire()
    heartbeat.end()
    assert path.stat().st_mtime == LONG_AGO[1]


def test_a_place_that_cannot_be_written_does_not_end_it(tmp_path: Path) -> None:
    asked = threading.Semaphore(0)

    def ask() -> bool:
        asked.release()
        return True

    heartbeat = Heartbeat(tmp_path / "missing" / "beat", ask)
    heartbeat.start()
    for _ in range(2):
        asked.acquire()
    heartbeat.end()


def test_a_chunk_without_a_checkpoint_for_long_is_no_sound_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_client() -> NoReturn:
        raise AssertionError("a chunk this short asks nobody")

    held = running.RunningChunks(no_client)
    assert held.moving()
    with held.chunk("job", None) as checkpoint:
        checkpoint()
        assert held.moving()
        monkeypatch.setattr(running, "STANDS_STILL_S", 0.0)
        assert not held.moving()
    assert held.moving()
