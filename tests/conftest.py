"""Fixtures of several test files: a clean environment, a real local cluster, the command line."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import hypothesis
import pytest
import redis

from poolrace.producer.broker.client import connect
from poolrace.producer.broker.workers import announcements
from poolrace.producer.cluster.lifecycle import temporary
from poolrace.producer.cluster.state import Cluster
from poolrace.producer.executors.models import Model, make_executor
from poolrace.producer.experiments.measure import measure
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import AUTO, ScheduleChoice
from poolrace.producer.processes.polling import poll_until
from poolrace.producer.results.run import Run
from poolrace.producer.settings import STATE_DIR, Settings
from poolrace.workers.workloads import Workload

# No deadline: on a busy machine the duration of an example means nothing.
hypothesis.settings.register_profile("poolrace", deadline=None, derandomize=True)
hypothesis.settings.load_profile("poolrace")

POOL_SLOTS = {"prefork": 2, "threads": 2, "gevent": 20, "solo": 1}
"""Slots of each pool of the cluster that the tests share."""

pytest_plugins = ["pytester", "tests.in_process", "tests.scheduling", "tests.timing"]

PATIENCE_S = 240.0
"""Seconds to wait for a condition or a command, where their time is not what a test asserts; with
a load of 20 on two cores a local cluster took 37 s to start, and a short race 50 s."""

OURS = (
    "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "POOLRACE_", "FLOWER_", "VIRTUAL_ENV",
    "COLUMNS", "LINES",
)  # fmt: skip


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a session in CI that skipped tests: everything they need is installed there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter and (skipped := reporter.stats.get("skipped")):
        reporter.write_line(f"{len(skipped)} test(s) were skipped, which CI does not allow")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def held_chunks(client: redis.Redis, pool: str) -> set[str]:
    """Task ids of the chunks that the workers of the pool announce to hold."""
    return {
        task_id
        for announcement in announcements(client)
        if announcement.presence.pool == pool
        for task_id in announcement.holds
    }


def wait_until(condition: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
    """Poll the condition until it is true; fail after ``timeout_s`` seconds."""
    assert poll_until(condition, timeout_s), f"{condition} is not true in {timeout_s} s"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the variables of the shell that started the tests."""
    for name in list(os.environ):
        if name.startswith(OURS):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A real local cluster with all pools, for the whole session."""
    settings = Settings(state_dir=tmp_path_factory.mktemp("state"))
    with temporary(settings, POOL_SLOTS) as running:
        yield running


@pytest.fixture
def store(cluster: Cluster) -> Iterator["redis.Redis"]:
    """A client of the Redis of the cluster."""
    with connect(cluster.broker_url) as client:
        yield client


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings without a cluster."""
    return Settings(state_dir=tmp_path / "state")


@pytest.fixture
def with_cluster(cluster: Cluster, settings: Settings) -> Settings:
    """Settings with the cluster of the session as broker."""
    return replace(settings, broker_url=cluster.broker_url)


def run_once(
    workload: Workload,
    start: int,
    stop: int,
    model: Model,
    settings: Settings,
    schedule: ScheduleChoice = AUTO,
) -> Run:
    """Measure one run in the same way as ``producer run``."""
    job = Job(workload, start, stop)
    executor = make_executor(model, job, settings)
    return measure(job, executor, schedule.make_for(job), expected=job.expected())


@dataclass(frozen=True)
class Answer:
    """Exit code and output of a finished command."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output as JSON; integers may have any size."""
        sys.set_int_max_str_digits(0)
        return json.loads(self.out)


@dataclass(frozen=True)
class CommandLine:
    """Runs ``producer`` in a separate process and directory."""

    directory: Path
    variables: dict[str, str]
    started: list["subprocess.Popen[str]"] = field(default_factory=list)

    def start(self, *arguments: str, **kwargs: Any) -> "subprocess.Popen[str]":
        """Start a command without waiting for its end."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
        process = subprocess.Popen(
            [sys.executable, "-m", "poolrace.producer", *arguments],
            cwd=self.directory,
            env={**environment, **self.variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **kwargs,
        )
        self.started.append(process)
        return process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_leftovers()

    def stop_leftovers(self) -> None:
        """Stop the commands and the cluster that a failed test left running."""
        if (self.directory / STATE_DIR).exists():
            self("down")
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def __call__(self, *arguments: str, timeout_s: float = PATIENCE_S) -> Answer:
        """Run a command and wait for its end."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=timeout_s)
        return Answer(process.returncode, out, err)


@pytest.fixture
def producer(tmp_path: Path) -> Iterator[CommandLine]:
    """The command line without a cluster."""
    with CommandLine(tmp_path, {}) as command_line:
        yield command_line


@pytest.fixture
def producer_on_cluster(tmp_path: Path, cluster: Cluster) -> Iterator[CommandLine]:
    """The command line with the cluster of the session as broker."""
    with CommandLine(tmp_path, {"CELERY_BROKER_URL": cluster.broker_url}) as command_line:
        yield command_line
