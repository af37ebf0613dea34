"""Processes of a race without Redis: the shim's probe, workers that end, directories."""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from poolrace.producer.race.app_info import probe
from poolrace.producer.race.app_process import AppProcess
from poolrace.producer.race.items import Item
from poolrace.producer.race.options import Target
from poolrace.producer.race.sandbox import Sandbox
from poolrace.producer.race.worker_group import WorkerGroup, peak_memory
from poolrace.producer.results.candidate import Candidate
from poolrace.workers.errors import ClusterError, UsageError

APP = """
from celery import Celery

app = Celery("proj", broker="amqp://broker.invalid//")
app.conf.worker_prefetch_multiplier = 7
app.conf.task_routes = {"proj.nap": "naps"}


@app.task
def nap(seconds):
    pass
"""

NO_CLIENT: Any = None
SANDBOX = Sandbox("redis://127.0.0.1:1/0", "prefix-", NO_CLIENT)


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    """A user's app; temporary files of the test are below ``tmp_path``."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    project = tmp_path / "project"
    project.mkdir()
    (project / "proj.py").write_text(APP)
    return Target("proj", "proj.nap", sys.executable, project)


def left_over(target: Target) -> list[Path]:
    return list((target.directory.parent / "tmp").iterdir())


def test_a_probe_returns_facts_of_the_app_and_leaves_no_file(target: Target) -> None:
    app = probe(target, SANDBOX, [Item(1, [0.1], {})])
    assert (app.prefetch, app.queue, app.serializer) == (7, "naps", "json")
    assert {"prefork", "threads", "solo", "gevent"} == set(app.pools)
    assert left_over(target) == []


def test_an_item_that_does_not_fit_the_signature_is_refused_with_its_line(target: Target) -> None:
    items = [Item(1, [0.1], {}), Item(3, [], {})]
    with pytest.raises(
        UsageError, match=r"line 3 of the items: proj.nap cannot be called with this item: missing"
    ):
        probe(target, SANDBOX, items)
    assert left_over(target) == []


def test_creating_processes_and_groups_of_workers_touches_no_file(target: Target) -> None:
    process = AppProcess(target, SANDBOX)
    group = WorkerGroup(target, SANDBOX, Candidate("threads", 2, workers=2), 60.0)
    assert left_over(target) == []
    assert process.ended
    assert group.ended
    process.stop()
    group.stop()


def test_workers_that_end_at_once_are_reported_with_their_log(target: Target) -> None:
    (target.directory / "proj.py").write_text("raise SystemExit('the app gave up')")
    group = WorkerGroup(target, SANDBOX, Candidate("threads", 2), 60.0)
    try:
        group.start()
        assert len(left_over(target)) == 1
        with pytest.raises(ClusterError, match=r"threads:2 did not start: (.|\n)*the app gave up"):
            group.wait_until_ready()
    finally:
        group.stop()
    assert left_over(target) == []


def test_the_peak_of_memory_has_what_was_held_for_a_moment_since_the_last_call() -> None:
    size = 64 * 2**20
    peak_memory(os.getpid())
    before = peak_memory(os.getpid())
    assert len(b"x" * size) == size  # held until here
    assert peak_memory(os.getpid()) > before + 0.8 * size
    assert peak_memory(os.getpid()) < before + 0.5 * size
    assert peak_memory(-1) == 0
