"""Processes of another interpreter that die, hang or do not start; nothing of them is left."""

import signal
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from poolrace.producer.errors import ChunkFailed, JobFailed
from poolrace.producer.executors import other_interpreter
from poolrace.producer.executors.models import ONE_SLOT, Model
from tests.conftest import wait_until
from tests.other_interpreters import OURS, children, executor_of, facts_of, script, threads
from tests.unit.test_executors import LONG, SHORT, collect


@pytest.mark.parametrize("model", OURS, ids=str)
def test_nothing_is_left_after_the_end(model: Model) -> None:
    """Also in the middle of a chunk of 1000 s."""
    before = children()
    with executor_of(model) as executor:
        executor.submit([LONG, *SHORT])
        assert executor.model == str(model)
        if model.name not in ONE_SLOT:
            assert executor.collect(20.0)
        started = [process for process in children() if process not in before]
        assert started
    wait_until(lambda: not any(process.is_running() for process in started))


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGSEGV], ids=["killed", "crashed"])
def test_a_process_that_dies_in_its_chunk_is_named(signum: signal.Signals) -> None:
    with threads() as executor:
        executor.submit([LONG, *SHORT])
        assert executor.collect(20.0)
        psutil.Process(executor.slot_pids[0]).send_signal(signum)
        with pytest.raises(
            ChunkFailed,
            match=rf"chunk \[0, 100_000\) failed on here: its process \d+ of .* code -{signum}",
        ):
            collect(executor, len(SHORT) + 1)


def test_an_idle_process_that_dies_is_named() -> None:
    with threads() as executor:
        psutil.Process(executor.slot_pids[0]).kill()
        with pytest.raises(JobFailed, match=r"an idle slot failed on here: .* code -9"):
            executor.collect(20.0)


def test_a_process_that_died_fails_the_chunks_that_it_gets() -> None:
    with threads() as executor:
        process = psutil.Process(executor.slot_pids[0])
        process.kill()
        wait_until(lambda: process.status() == psutil.STATUS_ZOMBIE)
        executor.submit([LONG])
        with pytest.raises(ChunkFailed, match=r"chunk \[0, 100_000\) failed on here"):
            executor.collect(20.0)


def test_a_slot_of_the_process_that_dies_is_named() -> None:
    model = Model("local", "processes", 2, facts_of(sys.executable))
    with executor_of(model) as executor:
        executor.submit([LONG, *SHORT])
        assert executor.collect(20.0)
        _, *slots = executor.slot_pids
        assert len(slots) == 2
        for slot in slots:
            psutil.Process(slot).kill()
        with pytest.raises(JobFailed, match=r"on here: its process .* died with exit code -9"):
            collect(executor, len(SHORT) + 1)


def test_a_process_that_hangs_is_killed_at_the_end() -> None:
    """As after Ctrl-C: a stopped process does not delay the end."""
    with threads() as executor:
        process = psutil.Process(executor.slot_pids[0])
        process.suspend()
        executor.submit([LONG])
        assert executor.collect(0.1) == []
    assert not process.is_running()


def test_a_process_that_is_never_ready_fails_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(other_interpreter, "START_S", 0.5)
    hanging = replace(facts_of(sys.executable), path=script(tmp_path, "sleep 1000"))
    before = children()
    with pytest.raises(JobFailed, match=r"python was not ready within 0.5 s on here"):
        threads(hanging).__enter__()
    assert children() == before


def test_a_process_that_crashes_at_its_start_is_named(tmp_path: Path) -> None:
    crashing = replace(
        facts_of(sys.executable), path=script(tmp_path, "echo no memory >&2; exit 7")
    )
    with pytest.raises(JobFailed, match=r"died with exit code 7: no memory"):
        threads(crashing).__enter__()


def test_a_process_that_sends_anything_but_results_fails_the_job(tmp_path: Path) -> None:
    text = "read line; echo '{\"pids\": []}'; read line; echo Hello; sleep 1000"
    chatty = replace(facts_of(sys.executable), path=script(tmp_path, text))
    with threads(chatty) as executor:
        executor.submit([LONG])
        with pytest.raises(JobFailed, match=r"python sent b'Hello' in place of a result on here"):
            executor.collect(20.0)
